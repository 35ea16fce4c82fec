"""How far the replay of one execution has come, so that its next episode need not begin anew.

Going on from there gives what beginning at the beginning would give, since both take the same
events one by one; but for one case, which is not kept: where the walk had come to the end of its
list before the orchestrator listed more, a walk from the beginning would have gone on at that
event, and not at the next one.
"""

from durahost.engine.execution import Execution
from durahost.engine.walk import Walk
from durahost.model.actions import OrchestratorState
from durahost.model.values import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """The state after so many `events` of the execution's history, the last episode's messages
    among them, but not what that episode decided.
    """

    events: int
    _execution: Execution
    _walk: Walk

    @classmethod
    def after(cls, execution: Execution, walk: Walk | None, events: int) -> "Progress | None":
        """What an episode leaves behind; None when the next one has to begin at the beginning."""
        if walk is None or walk.is_finished or walk.error is not None:
            return None
        if walk.wants_end or walk.is_schema_v1 or execution.has_ended:
            return None
        return cls(events, execution, walk)

    def fits(self, answer: OrchestratorState) -> bool:
        """Whether the answer goes on where this list ends."""
        return answer.kept == self._walk.listed

    def go_on(self, answer: OrchestratorState) -> tuple[Execution, Walk]:
        """Take the answer in, before the events that follow are processed."""
        self._walk.go_on(answer)
        self._execution.unheard_names.clear()
        return self._execution, self._walk

    def let_go(self) -> None:
        """Nobody goes on from here."""
        self._execution.let_go()
