"""Where user code runs: one Protocol, a child process, or a thread of this process."""
