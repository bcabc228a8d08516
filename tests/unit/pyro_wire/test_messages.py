"""Messages: one JSON object each, bounded, and every field is looked at before it is believed."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyro_wire import messages
from pyro_wire.frames import MAX_PAYLOAD
from pyro_wire.messages import MessageError


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b"1",
        b'"x"',
        b"null",
        b"{",
        b"\xff",
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":' + b"[" * 30000,
        b'{"a":' + b"[" * 30000 + b"]" * 30000 + b"}",
        b'{"a":' + b"9" * 5000 + b"}",
    ],
)
def test_what_is_not_one_json_object_is_refused(payload: bytes) -> None:
    with pytest.raises(MessageError):
        messages.unpack(payload)


@given(st.binary(max_size=300))
def test_garbage_is_refused_or_is_an_object(payload: bytes) -> None:
    with contextlib.suppress(MessageError):
        assert isinstance(messages.unpack(payload), dict)


def test_names_that_are_not_utf8_survive() -> None:
    name = b"caf\xe9\n".decode("utf-8", "surrogateescape")
    assert messages.unpack(messages.pack({"argv": [name]})) == {"argv": [name]}


def test_a_message_larger_than_a_frame_is_refused_before_it_is_sent() -> None:
    with pytest.raises(MessageError, match="at most"):
        messages.pack({"x": "y" * MAX_PAYLOAD})


GOOD = {"t": "x", "n": 3, "yes": True, "list": ["a", ""], "map": {"K": "v"}, "null": None}


def test_readers_return_what_is_there() -> None:
    assert messages.text(GOOD, "t") == "x"
    assert messages.text(GOOD, "null", "d") == messages.text(GOOD, "missing", "d") == "d"
    assert messages.optional_text(GOOD, "t") == "x"
    assert messages.optional_text(GOOD, "null") is None
    assert messages.integer(GOOD, "n", low=3, high=3) == 3
    assert messages.optional_integer(GOOD, "missing", low=0, high=1) is None
    assert messages.flag(GOOD, "yes") is True
    assert messages.flag(GOOD, "missing", default=False) is False
    assert messages.texts(GOOD, "list") == ["a", ""]
    assert messages.text_map(GOOD, "map") == {"K": "v"}
    assert messages.text_map(GOOD, "null") == {}


BAD = {
    "t": "a\0b",
    "n": True,
    "big": 10**30,
    "f": 1.5,
    "yes": 1,
    "list": ["a", 1],
    "map": {"K": 1},
    "nul": {"a\0": ""},
}


@pytest.mark.parametrize(
    "read",
    [
        lambda: messages.text(BAD, "t"),
        lambda: messages.text(BAD, "n"),
        lambda: messages.text(BAD, "missing"),
        lambda: messages.optional_text(BAD, "n"),
        lambda: messages.integer(BAD, "n", low=0, high=9),
        lambda: messages.integer(BAD, "big", low=0, high=9),
        lambda: messages.integer(BAD, "f", low=0, high=9),
        lambda: messages.integer(BAD, "missing", low=0, high=9),
        lambda: messages.flag(BAD, "yes"),
        lambda: messages.flag(BAD, "missing"),
        lambda: messages.texts(BAD, "list"),
        lambda: messages.texts(BAD, "map"),
        lambda: messages.text_map(BAD, "map"),
        lambda: messages.text_map(BAD, "list"),
        lambda: messages.text_map(BAD, "nul"),
    ],
)
def test_readers_refuse_everything_else(read: object) -> None:
    assert callable(read)
    with pytest.raises(MessageError):
        read()
