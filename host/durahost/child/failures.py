"""What user code raised, as data: Azure's texts, and the frames that are the app's own.

Source: Azure/azure-functions-python-worker: loader.py, utils/tracing.py, dispatcher.py
(_serialize_exception).
"""

import sys
import traceback
from pathlib import Path
from types import TracebackType
from typing import Any

OWN_FOLDER = str(Path(__file__).resolve().parent)

UNREADABLE = "Unhandled exception in function. Could not serialize original exception message."

MISSING_MODULE = (
    ". Cannot find module. Please check the requirements.txt file for the missing module. For more"
    " info, please refer the troubleshooting guide: https://aka.ms/functions-modulenotfound."
    " Current sys.path: "
)

PACKAGES = {
    "azure": "azure-functions",
    "azure.functions": "azure-functions",
    "azure.durable_functions": "azure-functions-durable",
}
"""Packages whose name is not that of the module."""

FOREIGN_FOLDERS = frozenset({"site-packages", "dist-packages", ".python_packages"})
"""Below the app root too, these hold other people's code."""


def raised(error: BaseException) -> dict[str, str]:
    """The fields of a `raised` frame; the stack begins where the app's code does.

    A text that cannot be made has one in its place, which the real worker puts no type before.
    """
    error_type = type(error).__name__
    try:
        message = str(error)
    except Exception:  # noqa: BLE001  # the user's own __str__ may do anything
        error_type, message = "", UNREADABLE
    return {
        "error_type": error_type,
        "message": message,
        "stack_trace": _stack(error),
    }


def load_failure(error: BaseException, root: Path, script: Path | None) -> dict[str, Any]:
    """What is wrong with a function or an app that does not load.

    Shape: the fields of `raised`, and message with its type before it, file, advice, frames.
    """
    fields = raised(error)
    if isinstance(error, ImportError):
        start = fields["message"].removesuffix(".")
        fields["message"] = f"{start}{MISSING_MODULE}{sys.path}"
    frames = _app_frames(error, root)
    place = str(script) if script else None
    if isinstance(error, SyntaxError) and error.filename:
        place = f"{error.filename}:{error.lineno}"
        frames.extend(_source_line(error))
    elif located := [frame for frame in frames if isinstance(frame, traceback.FrameSummary)]:
        place = f"{located[-1].filename}:{located[-1].lineno}"
    return {
        **fields,
        "file": place,
        "advice": _advice(error),
        "frames": "".join(
            frame if isinstance(frame, str) else traceback.format_list([frame])[0]
            for frame in frames
        )
        or None,
    }


def _stack(error: BaseException) -> str:
    start: TracebackType | None = error.__traceback__
    while start is not None and _is_ours(start.tb_frame.f_code.co_filename):
        start = start.tb_next
    try:
        return "".join(traceback.format_exception(type(error), error, start))
    except Exception:  # noqa: BLE001  # the user's own __str__ may do anything
        return "".join(traceback.format_tb(start))


def _is_ours(filename: str) -> bool:
    return filename.startswith((OWN_FOLDER, "<frozen importlib"))


def _app_frames(error: BaseException, root: Path) -> list[traceback.FrameSummary | str]:
    return [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if is_of_app(Path(frame.filename), root)
    ]


def is_of_app(file: Path, root: Path) -> bool:
    """Whether the file is the app's own code: below its root, but no package's and not ours."""
    if not file.is_relative_to(root) or file.is_relative_to(OWN_FOLDER):
        return False
    return not FOREIGN_FOLDERS.intersection(file.relative_to(root).parts)


def _source_line(error: SyntaxError) -> list[str]:
    """The last lines of the error's own format: file, line, source and the mark below it."""
    lines = traceback.format_exception_only(type(error), error)
    return lines[:-1]


def _advice(error: BaseException) -> str:
    if isinstance(error, ImportError):
        name = PACKAGES.get(error.name or "", (error.name or "").partition(".")[0])
        if isinstance(error, ModuleNotFoundError) and name and name != "__app__":
            return (
                f'Install the package that provides "{error.name}" ({sys.executable} -m pip install'
                f" {name}) and add it to requirements.txt."
            )
        return "Correct the import, or create what it names; the frames show where it is."
    if isinstance(error, SyntaxError):
        return "Correct the line; the other functions run without it."
    if type(error).__name__ == "FunctionLoadError":
        return "Make the function's parameters and its bindings agree in name, direction and type."
    if isinstance(error, SystemExit):
        return "A module must not end the process while it is imported; remove the call."
    if "is not present in" in str(error):
        return "Define that function, or name another one with entryPoint in function.json."
    return "The code fails while it is imported; the frames above show where."
