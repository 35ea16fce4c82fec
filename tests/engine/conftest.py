"""What every engine test leaves is looked at: an episode never makes an unsound history."""

import pytest
from invariants import history_violations, row_violations
from stored_rows import event_rows, instance_row

from durahost.engine import entity, episode, outcome

OF_MESSAGES = ("I6", "I7", "I25")
"""What a store sees to: which answers come, how often, and when."""


@pytest.fixture(autouse=True)
def every_commit_is_sound(monkeypatch):
    """Look at all that is decided: where history and row were sound before, they are afterwards.

    Histories that a test writes by hand for one case, and that no host would, prove nothing; nor do
    answers that no store would bring, or the ends of histories whose beginning was left out.
    """
    plans, found = {}, []
    replay, build, conclude = episode._replay, outcome.build_commit, entity.conclude_batch

    def replay_noted(plan, execution, past):
        plans[id(execution)] = plan, execution
        replay(plan, execution, past)

    def build_checked(execution, *arguments, **named):
        commit = build(execution, *arguments, **named)
        plan, _ = plans.pop(id(execution))
        before = [] if commit.starts_generation else list(plan.locked.history)
        if not plan.locked.left_out and not _unsound(plan.locked.state, before):
            told = list(history_violations(event_rows([*before, *plan.new_events])))
            after = _unsound(commit.state, [*before, *commit.append])
            found.extend(one for one in after if one[0] not in OF_MESSAGES or one not in told)
        return commit

    def conclude_checked(*arguments, **named):
        concluded = conclude(*arguments, **named)
        found.extend(_unsound(concluded.commit.state, concluded.commit.append))
        return concluded

    monkeypatch.setattr(episode, "_replay", replay_noted)
    monkeypatch.setattr(outcome, "build_commit", build_checked)
    monkeypatch.setattr(entity, "conclude_batch", conclude_checked)
    yield
    assert found == []


def _unsound(state, history):
    if not history:
        return []
    rows = event_rows(history)
    return [*history_violations(rows), *row_violations(instance_row(state, history), rows)]
