"""The host's keys: made on first demand, kept in the host store, never logged.

Shape: 40 bytes as URL-safe base64 with padding: 33 random bytes, the mark `AzFu`, 4 more bytes.
Source: Azure/azure-functions-host: Security/SecretGenerator.cs,
WebHooks/DefaultScriptWebHookProvider.cs (GetOrCreateExtensionKey).
"""

import base64
import hmac
import json

from durahost.clock import Clock
from durahost.store.base import HostStore

EXTENSION_KEY = "durabletask_extension"
"""Name of the system key that opens the Durable webhooks."""

MASTER_KEY = "_master"

_SIGNATURE = "AzFu"


class HostKeys:
    """Keys of one host store; the same value for everybody who shares it."""

    def __init__(self, store: HostStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def system_key(self, name: str = EXTENSION_KEY) -> str:
        """The system key of this name, made now when there is none; names compare without case."""
        return await self._get_or_create(f"keys/system/{name.lower()}")

    async def master_key(self) -> str:
        """The master key, made now when there is none."""
        return await self._get_or_create(f"keys/host/{MASTER_KEY}")

    async def _get_or_create(self, place: str) -> str:
        stored = await self._store.read(place)
        if stored is None:
            fresh = json.dumps(generate_key(self._clock))
            stored = await self._store.write_if_absent(place, fresh)
        return str(json.loads(stored))


def generate_key(clock: Clock) -> str:
    """Make a fresh key: 56 characters, ending in `==`."""
    head = base64.urlsafe_b64encode(clock.random_bytes(33)).decode()
    tail = base64.urlsafe_b64encode(clock.random_bytes(4)).decode()
    return head + _SIGNATURE + tail


def is_same_key(presented: str, expected: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(presented.encode(), expected.encode())
