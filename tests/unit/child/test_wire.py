"""Frames survive any cutting, and what is no frame is refused."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durahost.child.wire import (
    MAX_FRAME_BYTES,
    PREFIX,
    Decoder,
    Frame,
    ProtocolError,
    encode,
    pack,
    unpack,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FRAMES = st.builds(
    Frame,
    st.text(),
    st.dictionaries(st.text(), JSON, max_size=4),
    st.lists(st.binary(max_size=50), max_size=4),
)
TEXTS = st.dictionaries(st.text(), st.text(), max_size=3)
VALUES = st.one_of(
    st.none(),
    st.tuples(st.sampled_from(["string", "json"]), st.text()),
    st.tuples(st.just("bytes"), st.binary()),
    st.tuples(st.just("int"), st.integers()),
    st.tuples(st.just("double"), st.floats(allow_nan=False)),
    st.tuples(st.just("collection_string"), st.lists(st.text(), max_size=3)),
    st.tuples(st.just("collection_bytes"), st.lists(st.binary(), max_size=3)),
    st.tuples(st.just("collection_sint64"), st.lists(st.integers(), max_size=3)),
    st.tuples(
        st.just("http"),
        st.fixed_dictionaries({"method": st.text(), "headers": TEXTS, "body": st.binary()}),
    ),
)


@given(st.lists(FRAMES, max_size=4), st.lists(st.integers(1, 40), min_size=1))
def test_frames_survive_any_cutting(frames, cuts):
    data = b"".join(encode(frame) for frame in frames)
    decoder, read, place = Decoder(), [], 0
    for cut in itertools.cycle(cuts):
        if place >= len(data):
            break
        read += decoder.feed(data[place : place + cut])
        place += cut
    assert read == frames


@given(st.lists(VALUES, max_size=5))
def test_values_survive_in_one_frame(values):
    parts = []
    described = [pack(value, parts) for value in values]
    (frame,) = Decoder().feed(encode(Frame("x", {"values": described}, parts)))
    assert [unpack(one, frame.parts) for one in frame.fields["values"]] == values


def test_text_that_is_no_unicode_crosses_too():
    parts = []
    assert unpack(pack(("string", "\ud800"), parts), parts) == ("string", "\ud800")


@pytest.mark.parametrize(
    "data",
    [
        PREFIX.pack(MAX_FRAME_BYTES + 1, 2),
        PREFIX.pack(10, 20),
        PREFIX.pack(2, 0),
        PREFIX.pack(6, 2) + b"{}",
        PREFIX.pack(6, 2) + b"x]",
        PREFIX.pack(18, 14) + b'["a", {}, [5]]',
        PREFIX.pack(15, 11) + b"[1, {}, []]",
        PREFIX.pack(18, 14) + b'["a", {}, []]x',
    ],
)
def test_what_is_no_frame_is_refused(data):
    with pytest.raises(ProtocolError):
        list(Decoder().feed(data))


def test_a_frame_beyond_the_limits_is_not_sent():
    with pytest.raises(ProtocolError, match="outside the limits"):
        encode(Frame("x", {"a": "b" * (65 * 2**20)}))


def test_a_value_that_is_not_of_its_kind_is_refused():
    with pytest.raises(TypeError, match="json must be text, got dict"):
        pack(("json", {}), [])
