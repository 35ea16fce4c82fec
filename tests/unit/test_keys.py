"""Keys: shape, permanence, secrecy."""

import re

from clocks import ManualClock

from durahost.clock import RealClock
from durahost.keys import HostKeys, generate_key, is_same_key
from durahost.store.memory import MemoryStore


async def test_keys_are_made_once():
    store = MemoryStore(ManualClock()).host_store
    keys = HostKeys(store, RealClock())
    system = await keys.system_key()
    assert system == await keys.system_key("DurableTask_Extension")
    assert system == await HostKeys(store, RealClock()).system_key()
    assert system != await keys.master_key()
    assert system not in repr(keys)


def test_the_shape_of_a_key():
    key = generate_key(RealClock())
    assert re.fullmatch(r"[A-Za-z0-9_-]{44}AzFu[A-Za-z0-9_-]{6}==", key)


def test_comparison():
    assert is_same_key("abc", "abc")
    assert not is_same_key("abd", "abc")
    assert not is_same_key("é", "abc")
