"""The functions of one loaded app, found by function name or by durable name."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from enum import Enum

from durahost.model.errors import AppLoadError
from durahost.model.functions import FunctionFailure, FunctionMetadata


class DurableKind(Enum):
    """The three kinds of durable functions: trigger type, name property, and the words of the
    texts.

    Words: Azure/azure-functions-durable-extension: DurableTaskExtension.cs
    (GetInvalid*FunctionMessage).
    """

    ORCHESTRATOR = (
        "orchestrationTrigger",
        "orchestration",
        "an orchestrator function",
        "orchestrator",
    )
    ACTIVITY = ("activityTrigger", "activity", "an activity function", "activity")
    ENTITY = ("entityTrigger", "entityName", "an entity function", "entity")

    # Enum's own hashes the name, by a call of Python; there is one object for each member.
    __hash__ = object.__hash__

    @property
    def trigger_type(self) -> str:
        """The binding type."""
        return self.value[0]

    @property
    def name_property(self) -> str:
        """The binding property that overrides the function's name."""
        return self.value[1]


@dataclass(frozen=True, slots=True)
class Registry:
    """What one generation of the app offers.

    functions: ordered by name without case; one whose code does not load is among them, as on
    Azure it
        keeps its route and every call fails. failures: what does not load, by function name.
    disabled: names of functions that app settings switch off. unserved: functions that are known
        and not among functions: the host refuses them, or host.json leaves them out.
    """

    functions: Sequence[FunctionMetadata] = ()
    failures: Sequence[FunctionFailure] = ()
    disabled: frozenset[str] = frozenset()
    _durable: Mapping[DurableKind, Mapping[str, FunctionMetadata]] | None = None
    unserved: Sequence[FunctionMetadata] = ()

    @classmethod
    def of(
        cls,
        functions: Sequence[FunctionMetadata],
        failures: Sequence[FunctionFailure] = (),
        disabled: frozenset[str] = frozenset(),
        unserved: Sequence[FunctionMetadata] = (),
    ) -> "Registry":
        """Order the functions, as .NET orders names without case, and index the durable ones."""
        ordered = sorted(functions, key=lambda function: function.name.upper())
        durable = {
            kind: {
                durable_name(function, kind).lower(): function
                for function in ordered
                if function.trigger.is_type(kind.trigger_type)
            }
            for kind in DurableKind
        }
        return cls(ordered, failures, disabled, durable, unserved)

    def find(self, kind: DurableKind, name: str) -> FunctionMetadata | None:
        """The durable function that runs under this name; a disabled one does not.

        Names compare without case.
        """
        function = self._of_kind(kind).get(name.lower())
        return None if function is None or function.name in self.disabled else function

    def knows(self, kind: DurableKind, name: str) -> bool:
        """Whether the app has such a function, be it disabled: then requests for it are accepted.

        Source: Azure/azure-functions-durable-extension: DurableTaskExtension.cs
        (ThrowIfFunctionDoesNotExist), OrchestrationTriggerAttributeBindingProvider.cs
        (TryCreateAsync registers it without an executor).
        """
        return name.lower() in self._of_kind(kind)

    def get(self, name: str) -> FunctionMetadata | None:
        """The function of this function name; names compare without case."""
        return next((f for f in self.functions if f.name.lower() == name.lower()), None)

    @property
    def known(self) -> Sequence[FunctionMetadata]:
        """All functions that the host knows, served or not, in order."""
        return sorted([*self.functions, *self.unserved], key=lambda one: one.name.upper())

    @property
    def http_functions(self) -> Sequence[FunctionMetadata]:
        """Functions with an httpTrigger, in order."""
        return [f for f in self.functions if f.trigger.is_type("httpTrigger")]

    def names(self, kind: DurableKind) -> Set[str]:
        """Lower-cased durable names of this kind."""
        return self._of_kind(kind).keys()

    def require_loaded(self, function: FunctionMetadata) -> None:
        """Errors: AppLoadError when the function is there but its code does not load.

        Durable work for it waits until the code is mended, instead of failing for a slip of the
        pen.
        """
        for failure in self.failures:
            if failure.name == function.name:
                raise AppLoadError(f"Function '{function.name}' does not load: {failure.message}")

    def unknown_text(self, kind: DurableKind, name: str) -> str:
        """What the extension says of a durable function that is not there.

        Source: Azure/azure-functions-durable-extension: DurableTaskExtension.cs
        (GetInvalidOrchestratorFunctionMessage and its twins).
        """
        known = [durable_name(f, kind) for f in self._of_kind(kind).values()]
        article, word = kind.value[2], kind.value[3]
        start = f"The function '{name}' doesn't exist, is disabled, or is not {article}."
        # The extension looks for orchestrators when it is asked for an entity.
        counted = DurableKind.ORCHESTRATOR if kind is DurableKind.ENTITY else kind
        if not self._of_kind(counted):
            return f"{start} Additional info: No {word} functions are currently registered!"
        names = "', '".join(known)
        return f"{start} Additional info: The following are the known {word} functions: '{names}'."

    def _of_kind(self, kind: DurableKind) -> Mapping[str, FunctionMetadata]:
        return (self._durable or {}).get(kind, {})


def durable_name(function: FunctionMetadata, kind: DurableKind) -> str:
    """The name orchestrators and clients use: the binding's property, else the function's name."""
    return str(function.trigger.get(kind.name_property) or function.name)
