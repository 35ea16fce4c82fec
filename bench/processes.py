"""Processes under measurement: their trees, memory and CPU time, read from /proc, and wrk."""

import os
import re
import shutil
import socket
import subprocess


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _stat(pid):
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rsplit(")", 1)[1].split()


def tree(root):
    """A process and everything below it."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                parents[int(name)] = int(_stat(name)[1])
            except OSError:
                continue
    found = {root}
    while True:
        more = {pid for pid, parent in parents.items() if parent in found} - found
        if not more:
            return found
        found |= more


def memory_mb(root):
    """Resident memory of a process tree, in MB (1e6 bytes)."""
    total = 0
    for pid in tree(root):
        try:
            with open(f"/proc/{pid}/status") as file:
                found = re.search(r"VmRSS:\s+(\d+)", file.read())
        except OSError:
            continue
        total += int(found[1]) * 1024 if found else 0
    return round(total / 1e6, 1)


def cpu_s(root):
    """User and system CPU seconds a process tree has used so far."""
    ticks = 0
    for pid in tree(root):
        try:
            fields = _stat(pid)
        except OSError:
            continue
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def stop(process, timeout_s=10):
    process.terminate()
    try:
        process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wrk(url, connections, seconds=4):
    """Requests per second; None where wrk (Debian package `wrk`) is not installed."""
    if shutil.which("wrk") is None:
        return None
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", url]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in text:
        raise RuntimeError(f"wrk: {text}")
    found = re.search(r"Requests/sec:\s+([\d.]+)", text)
    return round(float(found[1]), 1)
