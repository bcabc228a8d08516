"""The same bytes through pyte, another terminal emulator, where it does what xterm does: the screens must be equal."""

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyro_mcp.terminal.screen import Screen

_COLUMNS, _ROWS = 12, 5
_number = st.integers(1, 14).map(str)
_words = st.text("abc xyz", min_size=1, max_size=20)
# Left out: what pyte lacks (the second screen, REP, SU, SD, CBT, NEL) or does in its own way (origin mode, DL).
_sequences = st.one_of(
    st.builds("\x1b[{}{}".format, _number, st.sampled_from("ABCDGXPd@L")),
    st.builds("\x1b[{};{}H".format, _number, _number),
    st.builds("\x1b[{}{}".format, st.sampled_from("012"), st.sampled_from("JK")),
    st.builds("\x1b[3{}m".format, st.integers(0, 7)),
    st.sampled_from(["\r", "\n", "\r\n", "\x08", "\t", "\x1bM", "\x1bD", "\x1b7", "\x1b[?7h"]),
)
_streams = st.lists(st.one_of(_words, _sequences), max_size=30)


@settings(max_examples=400, deadline=None)
@given(_streams)
def test_equal_screens(stream: list[str]) -> None:
    ours, theirs = Screen(_COLUMNS, _ROWS), pyte.Screen(_COLUMNS, _ROWS)
    theirs.set_mode(pyte.modes.DECAWM)
    feeding = pyte.Stream(theirs)
    for part in stream:
        # Behind the last column pyte takes the cursor for one column further; xterm does not.
        text = f"\r{part}" if ours.grid.must_wrap else part
        ours.feed(text.encode())
        feeding.feed(text)
    assert [row.text() for row in ours.grid.rows] == [line.rstrip(" ") for line in theirs.display]
    assert (ours.grid.y, ours.grid.x) == (theirs.cursor.y, min(theirs.cursor.x, _COLUMNS - 1))


@pytest.mark.parametrize("stream", ["", "plain", "\x1b[2;3r", "日本語", "e\u0301"])
def test_equal_screens_of_what_is_not_random(stream: str) -> None:
    ours, theirs = Screen(_COLUMNS, _ROWS), pyte.Screen(_COLUMNS, _ROWS)
    ours.feed(stream.encode())
    pyte.Stream(theirs).feed(stream)
    assert ours.grid.rows[0].text() == theirs.display[0].rstrip(" ")
