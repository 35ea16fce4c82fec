"""Orchestration versions: which instances this host may run, by the two strategies of host.json.

Source: Azure/durabletask: src/DurableTask.Core/Settings/VersioningSettings.cs,
TaskOrchestrationDispatcher.cs (OnProcessWorkItemAsync).
"""

import re
from datetime import datetime
from typing import assert_never

from durahost.codec.history import FailureDetails
from durahost.engine.cut_off import cut_off
from durahost.engine.episode import Plan
from durahost.engine.outcome import FreshIds
from durahost.model.instances import Commit
from durahost.model.versioning import VersionMatch

_TYPE, _TEXT = "VersionMismatch", "Orchestration version did not comply with Worker Versioning"
MISMATCH = f"{_TYPE}: {_TEXT}"
"""Source: Azure/durabletask: TaskOrchestrationDispatcher.cs, FailureDetails.cs (ToString)."""

_DETAILS = FailureDetails(_TYPE, _TEXT, is_non_retriable=True)
_LARGEST = 2**31 - 1
_COMPONENT = re.compile(r"\s*\+?(\d+)\s*", re.ASCII)


def is_runnable(version: str, own: str, strategy: VersionMatch) -> bool:
    """Whether a host of version `own` may run an instance of this version."""
    match strategy:
        case VersionMatch.NONE:
            return True
        case VersionMatch.STRICT:
            return version == own
        case VersionMatch.CURRENT_OR_OLDER:
            return compare_versions(version, own) <= 0
        case _:
            assert_never(strategy)


def fail(plan: Plan, fresh: FreshIds, now: datetime) -> Commit:
    """End an instance that this host does not run; its orchestrator is not asked."""
    return cut_off(plan, fresh, now, output=MISMATCH, failure=_DETAILS)


def compare_versions(one: str, other: str) -> int:
    """Below, at or above zero as `one` is older than, as old as, or newer than `other`.

    An empty version is older than any; two that .NET's System.Version reads compare by number, all
    others as text without case.
    """
    if not one.strip() or not other.strip():
        return bool(one.strip()) - bool(other.strip())
    numbers = parse_version(one), parse_version(other)
    if numbers[0] is not None and numbers[1] is not None:
        return (numbers[0] > numbers[1]) - (numbers[0] < numbers[1])
    # .NET compares ordinally by UTF-16 code units, upper-cased.
    texts = [text.upper().encode("utf-16-be", "surrogatepass") for text in (one, other)]
    return (texts[0] > texts[1]) - (texts[0] < texts[1])


def parse_version(text: str) -> tuple[int, int, int, int] | None:
    """Two to four numbers joined by dots, a missing one below zero; None for anything else.

    Source: dotnet/runtime: System/Version.cs (ParseVersion).
    """
    parts = text.split(".")
    if not 2 <= len(parts) <= 4:
        return None
    numbers = []
    for part in parts:
        matched = _COMPONENT.fullmatch(part)
        if matched is None or int(matched[1]) > _LARGEST:
            return None
        numbers.append(int(matched[1]))
    major, minor, build, revision = [*numbers, -1, -1][:4]
    return major, minor, build, revision
