"""Keys: shape, permanence, rings, levels, secrecy."""

import re

import pytest
from clocks import ManualClock

from durahost.clock import RealClock
from durahost.keys import (
    EXTENSION_KEY,
    HOST_RING,
    SYSTEM_RING,
    AuthLevel,
    Caller,
    HostKeys,
    function_ring,
    generate_key,
    is_same_key,
    list_keys,
)
from durahost.store.memory import MemoryStore

pytestmark = pytest.mark.feature("Functions host", "Keys: made on first use, kept in the database")

HELLO = function_ring("Hello")


@pytest.fixture
def store():
    return MemoryStore(ManualClock()).host_store


@pytest.fixture
def keys(store):
    return HostKeys(store, RealClock())


async def test_keys_are_made_once(store, keys):
    assert keys.extension_key == ""
    await keys.load()
    other = HostKeys(store, RealClock())
    await other.load()
    assert other.extension_key == keys.extension_key
    assert await other.master_key() == await keys.master_key()
    assert dict(await keys.keys_on(SYSTEM_RING)) == {EXTENSION_KEY: keys.extension_key}
    for ring in (HOST_RING, HELLO):
        assert list(await keys.keys_on(ring)) == ["default"]
    assert await keys.keys_on(function_ring("HELLO")) == await keys.keys_on(HELLO)
    assert keys.extension_key not in repr(keys)


async def test_the_first_key_of_a_function_is_not_made_after_one_was_set(keys):
    assert await keys.set_key(HELLO, "mine", "v") == ("v", True)
    assert dict(await keys.keys_on(HELLO)) == {"mine": "v"}
    assert await keys.delete_key(HELLO, "MINE")
    assert not await keys.delete_key(HELLO, "mine")
    assert dict(await keys.keys_on(HELLO)) == {}


async def test_names_compare_without_case_and_the_last_spelling_stays(keys):
    await keys.set_key(HOST_RING, "a", "1")
    assert await keys.set_key(HOST_RING, "A", "2") == ("2", False)
    assert dict(await keys.keys_on(HOST_RING))["A"] == "2"
    assert "a" not in await keys.keys_on(HOST_RING)


async def test_the_extension_always_has_its_key(keys):
    await keys.load()
    first = keys.extension_key
    fresh, is_new = await keys.set_key(SYSTEM_RING, EXTENSION_KEY, None)
    assert not is_new
    assert keys.extension_key == fresh != first
    assert await keys.delete_key(SYSTEM_RING, EXTENSION_KEY)
    assert keys.extension_key not in (first, fresh, "")


async def test_whose_key_it_is(keys):
    await keys.load()
    host = (await keys.keys_on(HOST_RING))["default"]
    own = (await keys.keys_on(HELLO))["default"]
    assert await keys.identify(await keys.master_key()) == Caller(AuthLevel.ADMIN, "_master")
    assert await keys.identify(keys.extension_key) == Caller(AuthLevel.SYSTEM, EXTENSION_KEY)
    assert await keys.identify(host) == Caller(AuthLevel.FUNCTION, "default")
    assert await keys.identify(own) == Caller()
    assert await keys.identify(own, "hello") == Caller(AuthLevel.FUNCTION, "default")
    assert await keys.identify(own, "Other") == Caller()
    assert await keys.identify("\ud800é") == Caller()


async def test_keys_are_listed_by_what_they_open(store, keys):
    await keys.load()
    await keys.keys_on(HELLO)
    await keys.set_master_key("m")
    places = ("keys/functionkeys", "keys/functions/hello", "keys/master", "keys/systemkeys", "x")
    listed = list_keys({place: text for place in places if (text := await store.read(place))})
    assert [(key.scope, key.name) for key in listed] == [
        ("all", "_master"),
        ("all functions", "default"),
        ("hello", "default"),
        ("webhooks", EXTENSION_KEY),
    ]
    assert listed[0].value == "m"
    assert keys.extension_key not in repr(listed)


def test_the_shape_of_a_key():
    key = generate_key(RealClock())
    assert re.fullmatch(r"[A-Za-z0-9_-]{44}AzFu[A-Za-z0-9_-]{6}==", key)


def test_comparison():
    assert is_same_key("abc", "abc")
    assert not is_same_key("abd", "abc")
    assert not is_same_key("é", "abc")
