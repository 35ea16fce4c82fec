"""Interpreters of this machine, and virtual environments that stay between runs of the tests."""

import fcntl
import functools
import hashlib
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MADE = "made.txt"
"""The file that says an environment is whole, and for what it was made."""

INSTALL_LIMIT_S = 300


@functools.cache
def interpreter(version):
    """An interpreter of this version ("3.13"): of the path, else of pyenv; None when there is none.

    pyenv's shims stand on the path for versions that are not chosen: only one that runs counts.
    """
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    installed = sorted(pyenv.glob(f"versions/{version}.*/bin/python"))
    for candidate in [f"python{version}", *map(str, reversed(installed))]:
        program = "import sys; print(sys.executable)"
        try:
            ran = subprocess.run(
                [candidate, "-c", program], capture_output=True, text=True, check=True, timeout=20
            )
        except (OSError, subprocess.SubprocessError):
            continue
        return ran.stdout.strip()
    return None


def needs(version):
    """The interpreter, or the test is skipped by the name of what is missing."""
    found = interpreter(version)
    if found is None:
        pytest.skip(f"Python {version} is not on this machine")
    return found


def environment(folder, python, *requirements):
    """The interpreter of a virtual environment in `folder` that holds the requirements.

    It is made once for each interpreter and list of requirements. Skips the test when pip cannot
    install them.
    """

    def make(place):
        # The pip of the tests installs, so that none need be installed first.
        command = [python, "-m", "venv", "--without-pip", place]
        subprocess.run(command, check=True, timeout=INSTALL_LIMIT_S)
        _install(place / "bin" / "python", *requirements)

    place = _kept(folder, [python, *map(str, requirements)], make)
    return str(place / "bin" / "python")


def overlay(folder, python, requirement):
    """A folder with this one package, to stand before those of the interpreter on the path."""

    def make(place):
        _install(python, "--no-deps", "--target", place, requirement)

    return str(_kept(folder, ["over", python, requirement], make))


def _kept(folder, wanted, make):
    """The place in `folder` for what is wanted, made unless it is there."""
    text = "\n".join(wanted)
    place = ROOT / folder / hashlib.sha256(text.encode()).hexdigest()[:16]
    with _alone(place):
        if not (place / MADE).exists():
            shutil.rmtree(place, ignore_errors=True)
            make(place)
            (place / MADE).write_text(text)
    return place


@contextmanager
def _alone(place):
    """No other process of the tests makes the same one meanwhile."""
    place.parent.mkdir(exist_ok=True)
    with place.with_suffix(".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _install(python, *arguments):
    pip = [sys.executable, "-m", "pip", "--python", python]
    ran = subprocess.run(
        [*pip, "install", "-q", "--disable-pip-version-check", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=INSTALL_LIMIT_S,
    )
    if ran.returncode:
        wanted = " ".join(map(str, arguments))
        pytest.skip(f"pip cannot install {wanted}: {ran.stderr.strip()}")
