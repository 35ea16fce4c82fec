"""What an answer lists again is left out of it, and only that: the rest is read as ever."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durahost.codec import sdk1
from durahost.model.actions import CallActivity, OrchestratorState

NAMES = st.sampled_from(["A", "B", '"], ["', "]], ", "\ud83d\ude00", "\udce9"])
ACTIVITIES = st.builds(lambda name: {"actionType": 0, "functionName": name}, NAMES)
ACTIONS = st.recursive(
    ACTIVITIES,
    lambda inner: st.builds(
        lambda children: {"actionType": 12, "compoundActions": children},
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=4,
)
MEMBERS = st.fixed_dictionaries(
    {}, optional={"output": st.sampled_from([1, "]]"]), "customStatus": st.just({"actions": [[1]]})}
)


def state(actions, *, is_done=False, schema=2, **more):
    return json.dumps({"isDone": is_done, "schemaVersion": schema, "actions": [actions], **more})


def read(text, earlier=None, sites=()):
    """The answer, and what it lists, as the next one is given it."""
    answer = sdk1.decode_returned(text, earlier=earlier, sites=sites)
    return answer, getattr(answer, "listed", None)


def without(answer, kept):
    """The whole answer as a session would have given it."""
    batches, sites = [batch[kept:] for batch in answer.batches], answer.sites[kept:]
    return replace(answer, batches=batches, sites=sites, kept=kept)


def activities(names):
    return [{"actionType": 0, "functionName": name, "input": "1"} for name in names]


@given(st.lists(st.lists(ACTIONS, max_size=3), min_size=1, max_size=4), MEMBERS, st.booleans())
def test_each_answer_is_read_from_where_the_one_before_ended(episodes, members, is_done):
    actions, earlier = [], None
    for new in episodes:
        kept = len(actions)
        actions += new
        text, sites = (
            state(actions, is_done=is_done, **members),
            [str(n) for n in range(len(actions))],
        )
        answer, listed = read(text, earlier, sites)
        whole, _ = read(text, None, sites)
        assert answer == without(whole, kept)
        assert (listed.count, listed.sites) == (len(actions), sites)
        earlier = listed


@given(st.lists(ACTIONS, max_size=4), st.lists(ACTIONS, max_size=4))
def test_two_lists_of_which_one_may_begin_with_the_other(before, after):
    _, earlier = read(state(before))
    answer, _ = read(state(after), earlier)
    whole, _ = read(state(after))
    is_same = after[: len(before)] == before
    assert answer == without(whole, len(before) if is_same else 0)


@pytest.mark.parametrize(
    "text",
    [
        state(activities("AXC")),
        state(activities("A")),
        state(activities(["A", "BB"])),
        state(activities("ABC"), schema=1),
        state(activities("ABC")).replace(", ", ","),
        json.dumps({"isDone": False, "actions": [activities("AB"), activities("C")]}),
    ],
    ids=["changed", "shorter", "longer name", "other schema", "other writer", "schema V1"],
)
def test_what_is_not_the_same_is_read_from_the_beginning(text):
    _, earlier = read(state(activities("AB")))
    assert earlier.count == 2
    answer, _ = read(text, earlier)
    assert isinstance(answer, OrchestratorState)
    assert answer == read(text)[0]
    assert answer.kept == 0


def test_numbers_that_python_takes_for_the_same_are_not():
    """An input that is no text is written as it is read."""

    def flag(value):
        return state([{"actionType": 0, "functionName": "A", "input": value}])

    _, earlier = read(flag(True))
    answer, _ = read(flag(1), earlier)
    assert (answer.kept, answer.batches) == (0, [[CallActivity("A", "1")]])


def test_a_value_that_only_begins_the_same_is_another():
    _, earlier = read(state([]))
    answer, _ = read(state(activities("A")), earlier)
    assert (answer.kept, len(answer.batches[0])) == (0, 1)


@pytest.mark.parametrize("sites", [("f:1", "f:9", "f:3"), (), ("f:1", "f:2")])
def test_other_places_in_the_code_are_another_list(sites):
    _, earlier = read(state(activities("AB")), sites=("f:1", "f:2"))
    answer, _ = read(state(activities("ABC")), earlier, sites)
    assert (answer.kept, answer.sites) == (0, sites)


def test_places_that_do_not_fit_the_actions_are_not_gone_on_from():
    answer, listed = read(state(activities("AB")), sites=("f:1",))
    assert (answer.sites, listed) == (("f:1",), None)


@pytest.mark.parametrize(
    "text",
    [
        state(activities("AB"))[:-4],
        state(activities("AB"))[:-1],
        '{"isDone": false, "schemaVersion": 2, "actions": [[' + "[" * 200_000,
        '{"isDone": false, "schemaVersion": 2, "actions": [[], []]}',
        state([5]),
    ],
    ids=["cut off in the list", "cut off behind it", "too deep", "two batches", "no action"],
)
def test_what_cannot_be_read_fails_as_ever(text):
    _, earlier = read(state(activities("A")))
    answer, listed = read(text, earlier)
    assert listed is None
    assert answer == read(text)[0]
    assert answer.error.startswith((sdk1.NOT_JSON_TEXT, "With OOProc schema"))


def test_a_list_of_which_the_worker_left_something_out_is_no_beginning():
    answer = sdk1.decode_returned(state(activities("C")), kept=2)
    assert (answer.kept, answer.listed) == (2, None)
