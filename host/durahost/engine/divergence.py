"""What a developer is told of a replay that differs from history: the step, both actions, both
places.

The instance itself fails with DurableTask's text (`engine.matching`); this goes into the log only.
"""

from durahost.engine import naming
from durahost.engine.matching import NonDeterminism
from durahost.model.actions import Hint
from durahost.model.instances import InstanceState


def describe(state: InstanceState, failure: NonDeterminism, site: str | None) -> Hint:
    """Put the recorded and the current action side by side.

    site: where the current code stood, for the case that it asked for nothing.
    """
    event, decision = failure.event, failure.decision
    if decision is None:
        place = f", the code stands at {site}" if site else ""
        current = f"nothing (yet){place}"
    else:
        current = naming.with_site(naming.current(decision), getattr(decision, "site", None))
    return Hint(
        f"Instance '{state.instance_id}' is not deterministic: at step {event.task_id} the code of "
        f"'{state.name}' no longer does what it did.\n"
        f"  recorded: {naming.with_site(naming.recorded(event), event.site)}\n"
        f"  current:  {current}\n"
        "An orchestrator must take the same steps at each replay: undo the change for instances "
        "that run, or give the new code a new name or version."
    )
