"""`logging` of host.json: which records the terminal shows.

Source: dotnet/runtime: LoggerFilterConfigureOptions.cs (LoadRules, TryGetSwitch), LogLevel.cs.
"""

import logging

from durahost.config.option_tree import OptionTree
from durahost.config.settings import LogLevels

PATH = "logging:logLevel"
_DEFAULT = "default"
_ABOVE_ALL = logging.CRITICAL + 1
_WORDS = {
    "trace": logging.NOTSET + 1,
    "debug": logging.DEBUG,
    "information": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
    "none": _ABOVE_ALL,
}


def build_log_levels(options: OptionTree) -> LogLevels:
    """Build the levels; a wrong one is a fault of the options."""
    found: dict[str, int] = {}
    for category in options.names(PATH):
        path = f"{PATH}:{category}"
        text = options.text(path)
        if not text:
            continue
        level = parse_level(text)
        if level is None:
            options.refuse(
                path,
                f"Configuration value '{text}' is not supported.",
                f"{path.replace(':', '.')} is one of Trace, Debug, Information, Warning, Error, "
                "Critical, None.",
            )
        else:
            found[category.lower()] = level
    return LogLevels(default=found.pop(_DEFAULT, None), levels=found)


def parse_level(text: str) -> int | None:
    """The level of `logging` for a word of .NET's LogLevel, any case, or for its number."""
    word = text.strip().lower()
    if word.isdecimal() and int(word) < len(_WORDS):
        return list(_WORDS.values())[int(word)]
    return _WORDS.get(word)
