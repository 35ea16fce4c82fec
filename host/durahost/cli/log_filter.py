"""Which log records the terminal shows: the defaults of `func start`, and host.json's levels.

Sources: Azure/azure-functions-core-tools: Diagnostics/LoggingFilterHelper.cs, Common/Utilities.cs
(DefaultLoggingFilter); Azure/azure-functions-host: LogCategories.cs.
"""

import logging
from dataclasses import dataclass, field

from durahost.config.settings import LogLevels
from durahost.user_logs import USER_LOGS

HOST_CATEGORY = "Host"
"""What the host's own records and those of its libraries are below."""

MOST_DECIDED = 10_000
"""Apps may name loggers as they like; decisions kept beyond that are made again."""

_OWN = "durahost"
INVOCATIONS = "durahost.invocations"
"""The logger of what an invocation's begin and end are told by: they are their function's."""


@dataclass
class LevelFilter:
    """Lets a record through by its category.

    levels: host.json's, which replace the defaults. user_level: of the command line, for user code
    only; it replaces host.json's.
    """

    is_verbose: bool = False
    user_level: int | None = None
    levels: LogLevels = field(default_factory=LogLevels)
    _decided: dict[tuple[str, str | None, int], bool] = field(default_factory=dict)

    def apply(self, levels: LogLevels) -> None:
        """From now on these are host.json's levels."""
        self.levels = levels
        self._decided.clear()

    def lowest(self, *, of_functions: bool) -> int:
        """The lowest level that is shown of functions' categories, or of all others."""
        is_news = of_functions or self.is_verbose
        usual = logging.INFO if is_news else logging.WARNING
        said = [usual if self.levels.default is None else self.levels.default]
        for name, level in self.levels.levels.items():
            if name.startswith(USER_LOGS.lower()) == of_functions:
                said.append(level)
        if of_functions and self.user_level is not None:
            said.append(self.user_level)
        return min(said)

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is shown; decided once per logger, function and level."""
        key = (record.name, getattr(record, "function", None), record.levelno)
        if key not in self._decided:
            if len(self._decided) >= MOST_DECIDED:
                self._decided.clear()
            self._decided[key] = self._decide(record)
        return self._decided[key]

    def _decide(self, record: logging.LogRecord) -> bool:
        name = category(record)
        is_user = _is_below(record.name, USER_LOGS)
        if is_user and self.user_level is not None:
            return record.levelno >= self.user_level
        said = self.levels.level_of(name)
        if said is not None:
            return record.levelno >= said
        is_news = is_user or self.is_verbose or record.name == INVOCATIONS
        return record.levelno >= (logging.INFO if is_news else logging.WARNING)


def category(record: logging.LogRecord) -> str:
    """The category that the record has on Azure: `Function.<name>`, `Worker.*`, `Host.*`."""
    function = getattr(record, "function", None)
    if record.name == INVOCATIONS and function:
        return f"{USER_LOGS}.{function}"
    if _is_below(record.name, _OWN):
        return HOST_CATEGORY + record.name.removeprefix(_OWN)
    if _is_below(record.name, USER_LOGS) or record.name.startswith("Worker"):
        return record.name
    return f"{HOST_CATEGORY}.{record.name}"


def _is_below(name: str, parent: str) -> bool:
    return name == parent or name.startswith(f"{parent}.")
