"""The host's keys: made on first use, kept in the host store, never logged.

They hang on rings: one for the host's functions, one for its extensions, one per function. The
master key hangs on none.
Shape: 40 bytes as URL-safe base64 with padding: 33 random bytes, the mark `AzFu`, 4 more bytes.
Source: Azure/azure-functions-host: Security/SecretGenerator.cs,
Security/KeyManagement/SecretManager.cs, WebHooks/DefaultScriptWebHookProvider.cs
(GetOrCreateExtensionKey).
"""

import asyncio
import base64
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NewType

from durahost.clock import Clock
from durahost.store.base import HostStore

EXTENSION_KEY = "durabletask_extension"
"""Name of the system key that opens the Durable webhooks."""

MASTER_KEY = "_master"
DEFAULT_KEY = "default"

KeyRing = NewType("KeyRing", str)
"""Where a key hangs; also its place in the host store, a JSON object of values by name."""

HOST_RING = KeyRing("keys/functionkeys")
SYSTEM_RING = KeyRing("keys/systemkeys")

_FUNCTION_RINGS = "keys/functions/"
_MASTER_PLACE = "keys/master"
_SCOPES: Mapping[str, str] = {HOST_RING: "all functions", SYSTEM_RING: "webhooks"}
_SIGNATURE = "AzFu"


class AuthLevel(Enum):
    """What a function asks for and what a key gives, as `authLevel` names it, lower-case.

    Source: Azure/azure-webjobs-sdk-extensions: WebJobs.Extensions.Http/AuthorizationLevel.cs.
    """

    ANONYMOUS = "anonymous"
    USER = "user"
    FUNCTION = "function"
    SYSTEM = "system"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the level of the key that was presented, and the key's name."""

    level: AuthLevel = AuthLevel.ANONYMOUS
    key_name: str = ""

    def has(self, level: AuthLevel, key_name: str | None = None) -> bool:
        """Whether this level is granted; Admin has each, the others theirs alone.

        key_name: the one key that will do, compared without case; None for any.
        Source: Azure/azure-functions-host: Security/Authorization/AuthUtility.cs
        (PrincipalHasAuthLevelClaim).
        """
        if AuthLevel.ADMIN is self.level or level is AuthLevel.ANONYMOUS:
            return True
        is_named = key_name is None or key_name.lower() == self.key_name.lower()
        return self.level is level and is_named


@dataclass(frozen=True, slots=True)
class StoredKey:
    """One key as it stands in the host store; scope: what it opens, in words."""

    scope: str
    name: str
    value: str = field(repr=False)


class HostKeys:
    """The keys of one host store; the same values for everybody who shares it."""

    def __init__(self, store: HostStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._changing = asyncio.Lock()
        self._extension_key = ""

    async def load(self) -> None:
        """Make the keys that every host has, unless they are there."""
        await self.master_key()
        await self.keys_on(HOST_RING)
        await self._require_extension_key()

    @property
    def extension_key(self) -> str:
        """The key that opens the Durable webhooks, as of now; "" until loaded."""
        return self._extension_key

    async def master_key(self) -> str:
        """The master key."""
        return str(await self._read_or_make(_MASTER_PLACE, lambda: generate_key(self._clock)))

    async def keys_on(self, ring: KeyRing) -> Mapping[str, str]:
        """Values by name, in order; a ring used for the first time gets its first key."""

        def make() -> dict[str, str]:
            return {} if ring == SYSTEM_RING else {DEFAULT_KEY: generate_key(self._clock)}

        return dict(await self._read_or_make(ring, make))

    async def set_master_key(self, value: str | None) -> str:
        """Replace the master key, by a fresh one when the value is None; returns it."""
        new = generate_key(self._clock) if value is None else value
        await self._store.write(_MASTER_PLACE, json.dumps(new))
        return new

    async def set_key(self, ring: KeyRing, name: str, value: str | None) -> tuple[str, bool]:
        """Add or replace a key, by a fresh one when the value is None; names compare without case.

        Returns its value, and whether the name is new to the ring. The ring of a function that was
        never used does not get its first key thereby.
        """
        new = generate_key(self._clock) if value is None else value
        async with self._changing:
            keys = await self._changeable(ring)
            found = _find(keys, name)
            if found is not None:
                del keys[found]
            await self._store.write(ring, json.dumps({**keys, name: new}))
        await self._require_extension_key()
        return new, found is None

    async def delete_key(self, ring: KeyRing, name: str) -> bool:
        """Remove a key; whether it was there. That of our own extension is made anew at once."""
        async with self._changing:
            keys = await self._changeable(ring)
            found = _find(keys, name)
            if found is not None:
                del keys[found]
                await self._store.write(ring, json.dumps(keys))
        await self._require_extension_key()
        return found is not None

    async def identify(self, presented: str, function: str | None = None) -> Caller:
        """Whose key this is; that of a function counts where the function is named.

        Source: Azure/azure-functions-host: SecretManager.cs (GetAuthorizationLevelAsync).
        """
        if is_same_key(presented, await self.master_key()):
            return Caller(AuthLevel.ADMIN, MASTER_KEY)
        rings = [(SYSTEM_RING, AuthLevel.SYSTEM), (HOST_RING, AuthLevel.FUNCTION)]
        if function is not None:
            rings.append((function_ring(function), AuthLevel.FUNCTION))
        for ring, level in rings:
            for name, value in (await self.keys_on(ring)).items():
                if is_same_key(presented, value):
                    return Caller(level, name)
        return Caller()

    async def _require_extension_key(self) -> None:
        async with self._changing:
            keys = {**await self.keys_on(SYSTEM_RING)}
            if EXTENSION_KEY not in keys:
                keys[EXTENSION_KEY] = generate_key(self._clock)
                await self._store.write(SYSTEM_RING, json.dumps(keys))
            self._extension_key = keys[EXTENSION_KEY]

    async def _changeable(self, ring: KeyRing) -> dict[str, str]:
        if ring in (HOST_RING, SYSTEM_RING):
            return dict(await self.keys_on(ring))
        stored = await self._store.read(ring)
        return {} if stored is None else dict(json.loads(stored))

    async def _read_or_make(self, place: str, make: Callable[[], Any]) -> Any:
        stored = await self._store.read(place)
        if stored is None:
            stored = await self._store.write_if_absent(place, json.dumps(make()))
        return json.loads(stored)


def list_keys(values: Mapping[str, str]) -> Sequence[StoredKey]:
    """The keys among the values of a host store, by place."""
    found: list[StoredKey] = []
    if _MASTER_PLACE in values:
        found.append(StoredKey("all", MASTER_KEY, json.loads(values[_MASTER_PLACE])))
    for place, text in values.items():
        scope = _SCOPES.get(place) or place.removeprefix(_FUNCTION_RINGS)
        if place in _SCOPES or place.startswith(_FUNCTION_RINGS):
            found += [StoredKey(scope, *item) for item in json.loads(text).items()]
    return found


def function_ring(name: str) -> KeyRing:
    """The ring of one function; function names compare without case."""
    return KeyRing(_FUNCTION_RINGS + name.lower())


def generate_key(clock: Clock) -> str:
    """Make a fresh key: 56 characters, ending in `==`."""
    head = base64.urlsafe_b64encode(clock.random_bytes(33)).decode()
    tail = base64.urlsafe_b64encode(clock.random_bytes(4)).decode()
    return head + _SIGNATURE + tail


def is_same_key(presented: str, expected: str) -> bool:
    """Compare in constant time."""
    # What a client sends may hold half a surrogate pair, which has no strict encoding.
    return hmac.compare_digest(
        presented.encode("utf-8", "surrogatepass"), expected.encode("utf-8", "surrogatepass")
    )


def _find(keys: Mapping[str, str], name: str) -> str | None:
    return next((one for one in keys if one.lower() == name.lower()), None)
