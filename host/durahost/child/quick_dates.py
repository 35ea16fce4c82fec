"""The time stamps of history events, read quickly: the SDK's own way is most of a replay's cost.

`HistoryEvent` of azure-functions-durable calls a global of its module, dateutil's parser. In this
process alone that global is replaced by one that reads the form the host writes, and hands anything
else on. It gives what dateutil would: the same instant, cut to microseconds, and the same kind of
tzinfo, which where the machine's zone is called UTC is the local one.
Nothing is replaced when the SDK is not built like that, or anything answers otherwise than before.
Source: Azure/azure-functions-durable-python: models/history/HistoryEvent.py;
dateutil/dateutil: parser/_parser.py (_build_tzaware).
"""

import functools
import re
import sys
import time
from collections.abc import Callable
from datetime import datetime, tzinfo
from types import FunctionType, ModuleType
from typing import Any

EVENTS = "azure.durable_functions.models.history.HistoryEvent"
PARSERS = "dateutil.parser"

STAMP = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,7}))?Z")
"""What the host writes, and .NET: up to seven digits of a second, in UTC."""

SAMPLES = ("2026-01-05T10:00:00Z", "2026-07-05T10:00:00.5Z", "2026-07-05T10:00:00.1234567Z")

KEPT = 4096
"""Time stamps: half a megabyte."""

Parse = Callable[[Any], datetime]


def install() -> bool:
    """Replace the parser if the app has imported an SDK that is known; whether it is now in use."""
    events, parsers = sys.modules.get(EVENTS), sys.modules.get(PARSERS)
    if events is None or parsers is None:
        return False
    stock: Any = getattr(events, "dt_parse", None)
    if isinstance(stock, QuickParse):
        return True
    before = _answers(events) if _is_known(events, parsers) else None
    if before is None:
        return False
    setattr(events, "dt_parse", QuickParse(stock))  # noqa: B010  # a global of a foreign module
    if _answers(events) != before:
        setattr(events, "dt_parse", stock)  # noqa: B010  # as above
        return False
    return True


class QuickParse:
    """Reads the usual time stamps, and lets the stock parser read the others.

    Each replay reads those of the one before it again, so what is read is kept.
    """

    def __init__(self, stock: Parse) -> None:
        self._stock = stock
        self._zone_names: tuple[str, str] | None = None

    def __call__(self, text: Any) -> datetime:
        """The instant. Errors: the stock parser's."""
        if type(text) is not str:
            return self._stock(text)
        if time.tzname != self._zone_names:
            self._look_up_zone()
        return self._read(text) or self._stock(text)

    def _look_up_zone(self) -> None:
        """What the stock parser makes of Z here; None where that changes over the year."""
        winter, summer = (self._stock(text).tzinfo for text in SAMPLES[:2])
        is_one = winter == summer and len(set(time.tzname)) == 1
        zone = winter if is_one or "UTC" not in time.tzname else None
        self._read = functools.lru_cache(KEPT)(functools.partial(_read, zone))
        self._zone_names = time.tzname


def _read(zone: tzinfo | None, text: str) -> datetime | None:
    """The instant; None for what only the stock parser reads."""
    found = STAMP.fullmatch(text)
    if found is None or zone is None:
        return None
    seconds, fraction = found.groups()
    try:
        when = datetime.fromisoformat(seconds)
    except ValueError:
        return None
    microsecond = int(fraction[:6].ljust(6, "0")) if fraction else 0
    return when.replace(microsecond=microsecond, tzinfo=zone)


def _is_known(events: ModuleType, parsers: ModuleType) -> bool:
    """Whether the SDK's events read their time with dateutil's parser, found where it is sought."""
    begin = getattr(getattr(events, "HistoryEvent", None), "__init__", None)
    stock = getattr(events, "dt_parse", None)
    return (
        isinstance(begin, FunctionType)
        and begin.__globals__ is vars(events)
        and "dt_parse" in begin.__code__.co_names
        and isinstance(stock, FunctionType)
        and stock is getattr(parsers, "parse", None)
        and stock.__module__.startswith(PARSERS)
    )


def _answers(events: ModuleType) -> list[tuple[datetime, type]] | None:
    try:
        made = [events.HistoryEvent(12, -1, False, text).timestamp for text in SAMPLES]
        return [(when, type(when.tzinfo)) for when in made]
    except Exception:  # noqa: BLE001  # another SDK's: whatever it says, it is not the known one
        return None
