"""The keys that mean "leave", however they come."""

import os

import pytest

from pyro_mcp.errors import InvalidRequest
from pyro_mcp.workspaces.shells.attaching import DetachKeys, Keyboard

SIZE = os.terminal_size((80, 24))


@pytest.mark.parametrize(
    ("parts", "passed", "pressed"),
    [
        ([b"ls\r"], b"ls\r", False),
        ([b"a\x10\x11b"], b"a", True),
        ([b"a\x10", b"\x11"], b"a", True),
        ([b"\x10", b"x"], b"\x10x", False),
        ([b"\x10", b"\x10", b"\x11"], b"\x10", True),
    ],
)
def test_what_goes_on_to_the_shell(parts: list[bytes], passed: bytes, pressed: bool) -> None:
    keys = DetachKeys("ctrl-p,ctrl-q")
    assert b"".join(keys.filter(part) for part in parts) == passed
    assert keys.pressed is pressed


def test_other_keys() -> None:
    keys = DetachKeys("ctrl-a, d")
    assert keys.filter(b"\x01d") == b""
    assert keys.pressed


@pytest.mark.parametrize("names", ["ctrlp", "", "ctrl-p,,"])
def test_no_keys(names: str) -> None:
    with pytest.raises(InvalidRequest):
        DetachKeys(names)


def test_a_keyboard_says_that_the_person_leaves_and_how_large_the_terminal_is() -> None:
    reading, writing = os.pipe()
    keyboard = Keyboard(reading, DetachKeys("ctrl-p,ctrl-q"), lambda: SIZE)
    try:
        keyboard.resized()
        assert keyboard.words.take() == {"columns": 80, "rows": 24}
        os.write(writing, b"x\x10")
        assert keyboard.read(100) == b"x"
        os.write(writing, b"\x10")
        assert keyboard.read(100) == b"\x10"
        os.write(writing, b"\x11")
        assert keyboard.read(100) == b""
        assert keyboard.words.take() == {"detach": True}
        assert keyboard.read(100) == b""
    finally:
        keyboard.close()
        os.close(reading)
        os.close(writing)


def test_a_key_that_may_be_the_first_of_them_is_not_the_end() -> None:
    reading, writing = os.pipe()
    keyboard = Keyboard(reading, DetachKeys("ctrl-p,ctrl-q"), lambda: SIZE)
    os.write(writing, b"\x10")
    assert keyboard.read(100) is None
    os.close(writing)
    assert keyboard.read(100) == b""
    keyboard.close()
    os.close(reading)
