"""Lone surrogates, which Python text may hold and neither UTF-8 nor a store can.

They come from undecodable file names (`os.fsdecode`) and from JSON escapes. .NET writes U+FFFD for
them, and
so do we, at the one door where a worker's answers enter.
"""

import json
import re
from typing import Any

_ESCAPE = re.compile(r"\\ud[89a-f]", re.IGNORECASE)


def replace_surrogates(text: str) -> str:
    """The text with pairs joined and lone surrogates replaced."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def load_json(text: str) -> Any:
    """Parse JSON whose strings then hold no lone surrogates. Errors: ValueError, RecursionError."""
    value = json.loads(text)
    if _ESCAPE.search(text) is None and text.isascii():
        return value
    return json.loads(replace_surrogates(json.dumps(value, ensure_ascii=False)))
