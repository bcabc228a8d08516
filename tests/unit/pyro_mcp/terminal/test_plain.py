"""What programs write to no terminal is read as on one, and what is no control stays as it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyro_mcp.terminal.plain import plain


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("\x1b[2J\x1b[Hhello \x1b[1;31mred\x1b[0m\n", "hello red\n"),
        ("10%\r20%\r100%\ndone\n", "100%\ndone\n"),
        ("loading...\r\x1b[Kok\n", "ok\n"),
        ("abcdef\rxy\n", "xycdef\n"),
        ("abc\x1b[2K\rxy", "xy"),
        ("ab\bc\b\b\b\bd", "dc"),
        ("one\r\ntwo\r\n", "one\ntwo\n"),
        ("a\tb\n\tc", "a\tb\n\tc"),
        ("\x07bell\x00 nul\x7f", "bell nul"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b(Btext\x1b7\x1b=", "text"),
        ("cut off \x1b[1;3", "cut off "),
        ("\x9b2Jx", "2Jx"),
        ("é\u2028→", "é\u2028→"),
    ],
)
def test_text_is_as_a_person_would_read_it(written: str, read: str) -> None:
    assert plain(written) == read


@given(st.text(alphabet="ab\x1b[]K2;\r\n\b\t\x07\x00(\\"))
def test_nothing_is_left_that_a_terminal_would_act_on(text: str) -> None:
    shown = plain(text)
    assert all(character.isprintable() or character in "\n\t" for character in shown)
    assert shown.count("\n") == text.count("\n")
