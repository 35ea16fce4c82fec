"""Identifiers, each a type of its own so that one is never passed for another."""

from typing import NewType

from durahost.model.values import dataclass

InstanceId = NewType("InstanceId", str)
"""Names an orchestration instance or, beginning with "@", an entity; compared case-sensitively."""

ExecutionId = NewType("ExecutionId", str)
"""Names one generation of an instance: 32 lower-case hex digits."""

InvocationId = NewType("InvocationId", str)
"""Names one call of a function: a dashed GUID, as in Azure's logs."""


@dataclass(frozen=True, slots=True)
class EntityId:
    """Names an entity: a lower-case name, and a key that keeps its case and may contain "@".

    Build it with `of` or `parse`.
    Source: Azure/azure-functions-durable-extension: EntityScheduler/EntityId.cs.
    """

    name: str
    key: str

    @classmethod
    def of(cls, name: str, key: str) -> "EntityId":
        """The id of this name, in any case, and key."""
        return cls(name.lower(), key)

    @classmethod
    def parse(cls, instance_id: str) -> "EntityId | None":
        """Read `@name@key`; the name ends at the second "@". None for any other shape."""
        name, found, key = instance_id[1:].partition("@")
        return cls.of(name, key) if instance_id.startswith("@") and name and found else None

    @property
    def instance_id(self) -> InstanceId:
        """The id of the instance that is the entity."""
        return InstanceId(f"@{self.name}@{self.key}")
