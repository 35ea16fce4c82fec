"""What is wrong with an app, or may be: one value for the terminal, JSON and SARIF alike."""

from dataclasses import dataclass
from enum import Enum


class Severity(Enum):
    """How bad it is: does not run, runs otherwise than it seems, worth knowing."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One problem.

    rule: a name that stays the same when texts change. message: the platform's own text where it
    has one. function: None for the app as a whole. file: relative to the app root with `/` between,
    absolute outside it. advice: what to do now. frames: the app's own, from the traceback.
    """

    rule: str
    severity: Severity
    message: str
    function: str | None = None
    file: str | None = None
    line: int | None = None
    advice: str | None = None
    frames: str | None = None
