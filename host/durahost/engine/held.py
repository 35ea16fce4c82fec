"""Why an instance stays Running although its orchestrator is through: for the developer only.

As on Azure the instance ends when all it asked for is done: the losers of a race, a timer that
nobody cancelled, the rest of a task_all of which one failed. No client can see that.
"""

from durahost.engine import naming
from durahost.engine.execution import Execution
from durahost.engine.walk import Walk
from durahost.model.actions import Hint
from durahost.model.instances import InstanceState

NAMED = 5
"""More would bury the log: a race of thousands has thousands of losers."""


def describe(state: InstanceState, execution: Execution, walk: Walk | None) -> list[Hint]:
    """Name what is still awaited; nothing when the instance ended, or the orchestrator did not.

    walk: None where the orchestrator gave no list of actions; nothing is open then.
    """
    if walk is None or not walk.wants_end or execution.has_ended or execution.is_suspended:
        return []
    awaited = [
        naming.with_site(naming.current(decision), decision.site)
        for decision in execution.open_decisions
    ]
    if not walk.is_finished:
        awaited += execution.awaited_events
    names, more = awaited[:NAMED], len(awaited) - NAMED
    listed = ", ".join([*names, f"{more} more"] if more > 0 else names)
    return [
        Hint(
            f"Instance '{state.instance_id}' stays Running although the code of '{state.name}' is "
            f"through; as on Azure it ends when all it asked for is done. Still awaited: {listed}. "
            "Cancel a timer that lost its race, and wait for what was started."
        )
    ]
