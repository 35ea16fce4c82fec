"""JSON files of an app: host.json, function.json, local.settings.json."""

from pathlib import Path
from typing import Any

from durahost.tolerant_json import read_object


def read_json_file(path: Path) -> dict[str, Any]:
    """Read a file that holds one JSON object, in UTF-8, with or without a byte order mark.

    Errors: JsonTextError when it does not; OSError when it cannot be read.
    """
    return read_object(path.read_bytes().decode("utf-8-sig", errors="replace"))
