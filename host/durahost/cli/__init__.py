"""The command line: arguments to calls, exit codes, the only place that prints."""
