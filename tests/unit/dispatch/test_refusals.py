"""Instances that this host leaves to another are named once, however many and however often."""

import pytest
from store.builders import state

from durahost.config.settings import DurableSettings
from durahost.dispatch.refusals import Refusals
from durahost.model.instances import Lease, LockedEpisode

pytestmark = pytest.mark.feature("Versions", "`Reject`: left to another host")


@pytest.fixture
def refuse(caplog):
    """Refuse an instance; whether a line was written."""
    refusals = Refusals(DurableSettings(default_version="1.0"), remembered=3)

    def one(instance_id, attempts=1):
        caplog.clear()
        lease = Lease("episode", instance_id, "me", 1)
        refusals.warn(LockedEpisode(lease, state(instance_id, version="2.0"), [], [], attempts))
        assert all(f"'{instance_id}' has version '2.0'" in line for line in caplog.messages)
        return len(caplog.messages)

    one.forget = refusals.forget
    one.recent = refusals._recent
    return one


def test_an_instance_is_named_once(refuse):
    assert [refuse("a", attempt) for attempt in range(1, 20)] == [1] + [0] * 18


def test_one_that_was_claimed_before_this_host_started_is_named(refuse):
    assert refuse("a", attempts=7) == 1


def test_one_that_ran_meanwhile_is_named_again(refuse):
    refuse("a")
    refuse.forget("a")
    refuse.forget("b")
    assert refuse("a") == 1


def test_any_number_is_named_once_in_bounded_memory(refuse):
    ids = [f"i{number}" for number in range(10)]
    assert [refuse(one) for one in ids] == [1] * 10
    for attempt in (2, 3):
        assert [refuse(one, attempt) for one in ids] == [0] * 10
    assert len(refuse.recent) == 3
    assert refuse("new") == 1
