"""Versions of instances and of the host: who runs what, and what becomes of the rest."""

import json
from uuid import UUID

import pytest
from lone_instance import LEASE, T0, new_state

from durahost.engine.episode import plan
from durahost.engine.outcome import FreshIds, start_of
from durahost.engine.versions import compare_versions, fail, is_runnable, parse_version
from durahost.model.events import EventKind
from durahost.model.instances import LockedEpisode, ParentInstance
from durahost.model.messages import InboxMessage
from durahost.model.status import RuntimeStatus
from durahost.model.versioning import VersionMatch

TEXT = "VersionMismatch: Orchestration version did not comply with Worker Versioning"


@pytest.mark.feature("Settings", "`versionMatchStrategy`")
@pytest.mark.feature("Versions", "Match strategies: `None`, `Strict`, `CurrentOrOlder`")
@pytest.mark.parametrize(
    ("one", "other", "order"),
    [
        ("", "", 0),
        (" ", "", 0),
        ("", "0.0", -1),
        ("0.0", " ", 1),
        ("1.0", "1.0", 0),
        ("1.9", "1.10", -1),
        ("2.0", "10.0", -1),
        ("1.0", "1.0.0", -1),
        ("1.2.3.4", "1.2.3", 1),
        ("01.0", "1.0", 0),
        ("1", "1", 0),
        ("10", "9", -1),
        ("1.0", "2", -1),
        ("v1.0-Release", "V1.0-release", 0),
        ("v10", "v9", -1),
        ("2025-10-23", "2025-10-24", -1),
        ("1.2.3.4.5", "1.2.3.4.6", -1),
    ],
)
def test_comparison(one, other, order):
    assert compare_versions(one, other) == order
    assert compare_versions(other, one) == -order


@pytest.mark.feature("Settings", "`versionMatchStrategy`")
@pytest.mark.feature("Versions", "Match strategies: `None`, `Strict`, `CurrentOrOlder`")
@pytest.mark.parametrize("text", ["1", "1.", "1.-2", "1.2.3.4.5", "a.b", "1.2147483648", ""])
def test_what_is_no_version_of_dotnet(text):
    assert parse_version(text) is None


@pytest.mark.feature("Settings", "`versionMatchStrategy`")
@pytest.mark.feature("Versions", "Match strategies: `None`, `Strict`, `CurrentOrOlder`")
@pytest.mark.parametrize(
    ("strategy", "version", "own", "runs"),
    [
        (VersionMatch.NONE, "9.0", "1.0", True),
        (VersionMatch.STRICT, "1.0", "1.0", True),
        (VersionMatch.STRICT, "1.0", "1.0.0", False),
        (VersionMatch.STRICT, "", "1.0", False),
        (VersionMatch.STRICT, "V1", "v1", False),
        (VersionMatch.CURRENT_OR_OLDER, "1.0", "2.0", True),
        (VersionMatch.CURRENT_OR_OLDER, "2.0", "2.0", True),
        (VersionMatch.CURRENT_OR_OLDER, "2.1", "2.0", False),
        (VersionMatch.CURRENT_OR_OLDER, "", "2.0", True),
        (VersionMatch.CURRENT_OR_OLDER, "1.0", "", False),
        (VersionMatch.CURRENT_OR_OLDER, "", "", True),
    ],
)
def test_who_runs_what(strategy, version, own, runs):
    assert is_runnable(version, own, strategy) is runs


@pytest.mark.feature("Settings", "`versionFailureStrategy`")
@pytest.mark.feature("Versions", "`Fail`: the instance fails")
def test_a_mismatch_fails_the_instance_without_its_orchestrator_and_tells_the_caller():
    parent = ParentInstance("p", "pe", "Parent", "", 3)
    state = new_state(version="2.0", parent=parent, custom_status='"last"')
    inbox = [InboxMessage(7, start_of(state, T0).started)]
    made = plan(LockedEpisode(LEASE, state, [], inbox), T0)
    commit = fail(made, FreshIds(UUID(int=1)), T0)
    assert [event.kind for event in commit.append] == [
        EventKind.ORCHESTRATOR_STARTED,
        EventKind.EXECUTION_STARTED,
        EventKind.EXECUTION_COMPLETED,
        EventKind.ORCHESTRATOR_COMPLETED,
    ]
    members = json.loads(commit.append[2].text)
    assert (members["OrchestrationStatus"], members["Result"]) == (3, None)
    assert members["FailureDetails"]["ErrorType"] == "VersionMismatch"
    assert (commit.state.status, commit.state.output) == (RuntimeStatus.FAILED, TEXT)
    assert commit.state.custom_status == '"last"'
    assert list(commit.consume) == [7]
    (answer,) = commit.send
    assert (answer.instance_id, answer.execution_id) == ("p", "pe")
    assert json.loads(answer.event.text)["Reason"] == TEXT
