"""Keys by name."""

import pytest

from pyro_mcp.terminal.keys import NAMES, enters, is_key, key_bytes, near_key, typed


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("enter", b"\r"),
        ("Ctrl-C", b"\x03"),
        ("tab", b"\t"),
        ("esc", b"\x1b"),
        ("up", b"\x1b[A"),
        ("ctrl-left", b"\x1b[1;5D"),
        ("f1", b"\x1bOP"),
        ("f5", b"\x1b[15~"),
        ("f12", b"\x1b[24~"),
        ("page-down", b"\x1b[6~"),
        ("alt-b", b"\x1bb"),
        ("backspace", b"\x7f"),
        ("shift-tab", b"\x1b[Z"),
        ("q", b"q"),
        ("G", b"G"),
        ("é", "é".encode()),
    ],
)
def test_what_a_key_sends(name: str, sent: bytes) -> None:
    assert key_bytes(name, application=False) == sent


def test_arrows_are_sent_as_the_program_has_asked() -> None:
    assert key_bytes("up", application=True) == b"\x1bOA"
    assert key_bytes("home", application=True) == b"\x1bOH"
    assert key_bytes("ctrl-up", application=True) == b"\x1b[1;5A"


@pytest.mark.parametrize(
    ("meant", "near"),
    [
        ("ctrlc", "ctrl-c"),
        ("C-c", "ctrl-c"),
        ("control+d", "ctrl-d"),
        ("pagedwn", "page-down"),
        ("entr", "enter"),
    ],
)
def test_the_near_name_of_no_key(meant: str, near: str) -> None:
    assert not is_key(meant)
    assert near_key(meant) in (near, near.replace("-", ""))


@pytest.mark.parametrize("name", ["", "\n", "\x1b", "qq", "ctrl-"])
def test_what_is_no_key(name: str) -> None:
    assert not is_key(name)


def test_no_key_is_near_to_nonsense() -> None:
    assert near_key("qqqqqqqqqq") is None


def test_every_name_sends_something() -> None:
    assert all(key_bytes(name, application=False) for name in NAMES)
    assert enters("ctrl-c")
    assert not enters("up")


def test_the_end_of_a_line_is_typed_as_enter() -> None:
    assert typed("a\nb\r\nc\n", at_prompt=False) == b"a\rb\rc\r"
    assert typed("a\nb\r\nc\n", at_prompt=True) == b"a\nb\nc\n"
