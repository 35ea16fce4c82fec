"""What happens in a host's life, as values for whoever shows it: the command line prints them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from durahost.config.settings import LogLevels
from durahost.model.findings import Finding
from durahost.model.functions import FunctionMetadata


@dataclass(frozen=True, slots=True)
class Notice:
    """One line worth telling; `is_warning` when something should be done about it."""

    text: str
    is_warning: bool = False


@dataclass(frozen=True, slots=True)
class Configured:
    """host.json is read: which records it wants shown."""

    log_levels: LogLevels


@dataclass(frozen=True, slots=True)
class SettingsExamined:
    """What should be known of the app's configuration."""

    findings: Sequence[Finding]


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """The app is loaded and served.

    urls: of HTTP functions, by function name, the route as written. disabled: names, not listened
    to.
    """

    base_url: str
    functions: Sequence[FunctionMetadata]
    urls: Mapping[str, str]
    methods: Mapping[str, Sequence[str]]
    findings: Sequence[Finding]
    disabled: frozenset[str]
    seconds: float


@dataclass(frozen=True, slots=True)
class Reloaded:
    """Changed code serves from now on."""

    milliseconds: int
    changed: Sequence[str]
    findings: Sequence[Finding]


@dataclass(frozen=True, slots=True)
class ReloadFailed:
    """Changed code does not load; the old code goes on serving."""

    findings: Sequence[Finding]


Report = Notice | Configured | SettingsExamined | Serving | Reloaded | ReloadFailed
Reporter = Callable[[Report], None]
