"""Identifiers, each a type of its own so that one is never passed for another."""

from typing import NewType

InstanceId = NewType("InstanceId", str)
"""Names an orchestration instance or, beginning with "@", an entity; compared case-sensitively."""

ExecutionId = NewType("ExecutionId", str)
"""Names one generation of an instance: 32 lower-case hex digits."""

InvocationId = NewType("InvocationId", str)
"""Names one call of a function: a dashed GUID, as in Azure's logs."""
