"""The exclusive hold of one process on a database file.

A sibling `<name>.lock` is locked through the operating system, which lets go when the process
ends, however it ends. The file stays; its text names the holder and proves nothing.
"""

import os
import sys
from pathlib import Path

from durahost.model.errors import HubInUse

_LOCKED_BYTE = 1 << 20
"""On Windows a locked range cannot be read by others, so it lies behind the text."""

if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> None:
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _try_lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class FileLock:
    """The hold; not inherited by child processes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the hold and leave our name in the file.

        Errors: HubInUse naming the holder.
        """
        lock_path = self._path.with_name(self._path.name + ".lock")
        descriptor = os.open(lock_path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _try_lock(descriptor)
        except OSError as error:
            os.lseek(descriptor, 0, os.SEEK_SET)
            holder = os.read(descriptor, 1000)
            os.close(descriptor)
            text = holder.decode("utf-8", "replace").strip() or "another process"
            raise HubInUse(str(self._path), text) from error
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, _describe_process().encode("utf-8", "replace"))
        self._descriptor = descriptor

    def release(self) -> None:
        """Let go; a second call does nothing."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _describe_process() -> str:
    command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])
    return f"process {os.getpid()} ({command})"
