"""Folders for files that need not survive the machine: what a sync costs is not the subject."""

import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")


def memory_folder():
    """A temporary folder, in memory where the machine has such a place; a context manager."""
    return tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None)
