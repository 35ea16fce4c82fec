"""JSON files of an app: host.json, function.json, local.settings.json."""

from pathlib import Path
from typing import Any

from durahost.tolerant_json import read_object


def decode(content: bytes) -> str:
    """The text of a file: UTF-8, with or without a byte order mark, what is none replaced."""
    return content.decode("utf-8-sig", errors="replace")


def read_text(path: Path) -> str:
    """The text of a file that is looked at for hints only: "" when it cannot be read."""
    try:
        return decode(path.read_bytes())
    except OSError:
        return ""


def read_json_file(path: Path) -> dict[str, Any]:
    """Read a file that holds one JSON object, in UTF-8, with or without a byte order mark.

    Errors: JsonTextError when it does not; OSError when it cannot be read.
    """
    return read_object(decode(path.read_bytes()))
