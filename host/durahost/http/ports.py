"""Listening sockets, and who holds a port that cannot be had."""

import errno
import os
import socket
from pathlib import Path

from durahost.model.errors import ConfigError


def bind(address: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes any free one.

    Errors: ConfigError that names the port's holder, where the system tells it, and a free port.
    Text: Azure/azure-functions-core-tools: StartHostAction.cs, its first sentence.
    """
    listener = _socket(address)
    try:
        listener.bind((address, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise ConfigError(*_taken(address, port)) from error
        advice = "Choose another with --address and --port."
        raise ConfigError(
            f"Cannot listen on {address}:{port}: {error.strerror}.", advice
        ) from error
    listener.setblocking(False)
    return listener


def _socket(address: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    # asyncio turns Nagle's algorithm off only where the protocol is named; with it every answer
    # that has a body waits some 40 ms on a kept connection, for the client's acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if os.name == "posix":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return listener


def _taken(address: str, port: int) -> tuple[str, str]:
    holder = find_holder(port)
    by = f" It is held by {holder}." if holder else ""
    free = _find_free(address, port + 1)
    advice = f"Stop that process, or use a free port: durahost start --port {free}"
    return f"Port {port} is unavailable.{by}", advice


def _find_free(address: str, first: int) -> int:
    for port in range(first, min(first + 100, 65536)):
        with _socket(address) as probe:
            try:
                probe.bind((address, port))
            except OSError:
                continue
            return port
    return 0


def find_holder(port: int) -> str | None:
    """Name and pid of the process that listens on a port; None where the system does not tell."""
    inodes = _listening_inodes(port)
    if not inodes:
        return None
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and _owns(process, inodes):
            return f"{_name(process)} (process {process.name})"
    return None


def _listening_inodes(port: int) -> set[str]:
    """Socket inodes in state LISTEN (0A) on the port, from Linux's tables."""
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                found.add(fields[9])
    return found


def _owns(process: Path, inodes: set[str]) -> bool:
    try:
        return any(
            os.readlink(handle).removeprefix("socket:[").rstrip("]") in inodes
            for handle in (process / "fd").iterdir()
        )
    except OSError:
        return False


def _name(process: Path) -> str:
    try:
        command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return "a process"
    return command.strip()[:80] or "a process"
