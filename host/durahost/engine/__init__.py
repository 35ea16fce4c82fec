"""The orchestration engine: pure decisions on values, no I/O, no clock."""
