"""What a function's outputs bring about: a client output starts orchestrations.

HTTP outputs are the response and none of ours; outputs to services that this host does not speak to
are recorded.
Source: Azure/azure-functions-durable-extension: Bindings/BindingHelper.cs
(OrchestrationClientAsyncCollector).
"""

import logging
from collections.abc import Callable, Iterator, Sequence

from durahost.clock import Clock
from durahost.codec.client_output import FORM, BadStart, StartRequest, decode_starts
from durahost.config.settings import DurableSettings
from durahost.management import Managements
from durahost.model.errors import InstanceExists
from durahost.model.functions import Binding, FunctionMetadata
from durahost.model.ids import InvocationId
from durahost.recorded_outputs import RecordedOutputs
from durahost.registry import DurableKind, Registry
from durahost.worker.base import Raised, Returned, TypedData

logger = logging.getLogger(__name__)

CLIENT_BINDINGS = ("durableClient", "orchestrationClient")
RETURN_BINDING = "$return"

_ERROR_TYPES = {
    BadStart: "System.ArgumentException",
    InstanceExists: "DurableTask.Core.Exceptions.OrchestrationAlreadyExistsException",
}


class Outputs:
    """Does what functions return through their output bindings."""

    def __init__(
        self,
        managements: Managements,
        registry: Callable[[], Registry | None],
        clock: Clock,
        records: RecordedOutputs,
        own: DurableSettings,
    ) -> None:
        self._managements = managements
        self._registry = registry
        self._clock = clock
        self._records = records
        self._own = own
        self._told: set[tuple[str, str]] = set()

    async def apply(
        self, function: FunctionMetadata, invocation_id: InvocationId, returned: Returned
    ) -> Raised | None:
        """Do each output in turn; what fails is the invocation's failure, those before it stand.

        Errors: StoreError.
        """
        for binding, value in _outputs_set(function, returned):
            if not any(binding.is_type(kind) for kind in CLIENT_BINDINGS):
                now = self._clock.now()
                self._records.add(now, function.name, invocation_id, binding, value)
                self._tell(function, binding)
                continue
            try:
                for request in _read_starts(value):
                    await self._start(binding, request)
            except (BadStart, InstanceExists) as error:
                text = f"Output '{binding.name}' of function '{function.name}': {error}"
                return Raised(_ERROR_TYPES[type(error)], text, "")
        return None

    async def _start(self, binding: Binding, request: StartRequest) -> None:
        """Start in the binding's hub; in the app's own, only what the app has.

        Errors: BadStart, InstanceExists.
        Source: Azure/azure-functions-durable-extension: ContextImplementations/DurableClient.cs
        (StartNewAsync, ClientReferencesCurrentApp).
        """
        registry, kind = self._registry(), DurableKind.ORCHESTRATOR
        hub, connection = binding.get("taskHub"), binding.get("connectionName")
        is_own = str(hub or self._own.hub_name).lower() == self._own.hub_name.lower()
        is_own = is_own and connection in (None, "", self._own.connection_name)
        if is_own and registry is not None and not registry.knows(kind, request.name):
            raise BadStart(registry.unknown_text(kind, request.name))
        management = self._managements(str(hub) if hub else None)
        await management.start(request.name, request.input, instance_id=request.instance_id)

    def _tell(self, function: FunctionMetadata, binding: Binding) -> None:
        """Say it once per binding: it is a matter of the app, not of an invocation."""
        place = (function.name, binding.name)
        if place not in self._told:
            self._told.add(place)
            logger.warning(
                "Output '%s' of function '%s' (%s) is recorded, not sent: "
                "GET /admin/durahost/outputs shows it.",
                binding.name,
                function.name,
                binding.type,
            )


def _outputs_set(
    function: FunctionMetadata, returned: Returned
) -> Iterator[tuple[Binding, TypedData]]:
    for binding in function.bindings:
        is_returned = binding.name == RETURN_BINDING
        value = returned.value if is_returned else returned.outputs.get(binding.name)
        if binding.is_output and not binding.is_type("http") and value is not None:
            yield binding, value


def _read_starts(data: TypedData) -> Sequence[StartRequest]:
    if data.kind not in ("string", "json"):
        raise BadStart(f"It is of the kind '{data.kind}'; set it to {FORM}.")
    return decode_starts(data.value)
