"""The words of host.json for what becomes of instances by their version."""

from enum import Enum


class VersionMatch(Enum):
    """`versionMatchStrategy`: which versions this host runs, compared with `defaultVersion`."""

    NONE = "None"
    STRICT = "Strict"
    CURRENT_OR_OLDER = "CurrentOrOlder"


class VersionFailure(Enum):
    """`versionFailureStrategy`: what becomes of an instance that this host does not run."""

    REJECT = "Reject"
    FAIL = "Fail"
