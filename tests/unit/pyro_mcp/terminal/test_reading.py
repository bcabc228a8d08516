"""Lines since a position: each once, as it stands now, and none lost."""

import pytest

from pyro_mcp.terminal.reading import lines_since, newest_lines
from pyro_mcp.terminal.screen import Screen


class Session:
    """A screen and how much was fed to it."""

    def __init__(self, columns: int = 20, rows: int = 5) -> None:
        self.screen = Screen(columns, rows)
        self.end = 0

    def feed(self, data: bytes) -> None:
        self.screen.feed(data)
        self.end += len(data)

    def since(self, position: int, most: int = 10_000) -> str:
        return lines_since(self.screen, position, self.end, most).text


def test_progress_that_overwrites_itself_is_read_at_its_last_state() -> None:
    session = Session()
    session.feed(b"get\r\n" + b"".join(b"\r%3d%%" % number for number in range(100)))
    assert session.since(0) == "get\n 99%"
    mark = session.end
    session.feed(b"\r100%\r\ndone\r\n")
    assert session.since(mark) == "100%\ndone"


def test_several_bars_that_are_drawn_again_and_again_are_read_once() -> None:
    session = Session()
    session.feed(b"a: 0\r\nb: 0\r\n")
    for number in range(50):
        session.feed(b"\x1b[2A\x1b[2Ka: %d\r\n\x1b[2Kb: %d\r\n" % (number, number))
    assert session.since(0) == "a: 49\nb: 49"


def test_a_line_that_was_too_long_for_the_screen_is_one_line() -> None:
    session = Session(columns=10, rows=3)
    session.feed(b"x" * 95 + b"\r\nnext\r\n")
    assert session.since(0) == "x" * 95 + "\nnext"


def test_a_line_that_goes_on_is_read_whole_again_and_one_that_does_not_change_is_not() -> None:
    session = Session()
    session.feed(b"one\r\n$ ")
    mark = session.end
    assert session.since(0) == "one\n$ "
    session.feed(b"ls\r\n")
    assert session.since(mark) == "$ ls"
    mark = session.end
    session.feed(b"\x1b[2A\rone\x1b[2B\r")
    assert session.since(mark) == ""


def test_blank_lines_in_between_are_kept_and_those_never_reached_are_not() -> None:
    session = Session()
    session.feed(b"a\r\n\r\nb\r\n")
    assert session.since(0) == "a\n\nb"


def test_what_was_cleared_is_gone_and_what_had_scrolled_out_is_not() -> None:
    session = Session(rows=3)
    session.feed(b"1\r\n2\r\n3\r\n4\x1b[H\x1b[2Jnew")
    assert session.since(0) == "1\nnew"


def test_the_second_screen_is_no_part_of_it() -> None:
    session = Session()
    session.feed(b"$ vi\r\n\x1b[?1049hediting\x1b[?1049l$ ")
    assert session.since(0) == "$ vi\n$ "


def test_pages_lead_through_everything_without_loss_or_repetition() -> None:
    session = Session(rows=4)
    session.feed(b"".join(b"line %d\r\n" % number for number in range(500)))
    position, pages = 0, []
    while True:
        page = lines_since(session.screen, position, session.end, 100)
        pages.append(page.text)
        position = page.next
        if not page.truncated:
            break
    assert "\n".join(pages) == "\n".join(f"line {number}" for number in range(500))
    assert position == session.end


def test_little_that_is_new_is_found_below_much_that_is_not() -> None:
    session = Session(rows=6)
    session.feed(b"".join(b"line %d\r\n" % number for number in range(5000)) + b"a\r\nb\r\nc")
    mark = session.end
    session.feed(b"\x1b[2A\rA")  # above others, then out of sight
    assert session.since(mark) == "A"
    session.feed(b"\x1b[2B" + b"\r\n" * 300)
    assert session.since(mark).startswith("A\n")


def test_of_too_much_the_newest_is_read_and_what_was_left_out_is_told() -> None:
    session = Session()
    session.feed(b"".join(b"line %d\r\n" % number for number in range(100)))
    found = newest_lines(session.screen, 0, session.end, 16)
    assert found.text == "line 98\nline 99"
    assert (found.skipped, found.next) == (True, session.end)
    assert newest_lines(session.screen, 0, session.end, 10_000).skipped is False
    assert newest_lines(session.screen, session.end, session.end, 100).text == ""


@pytest.mark.parametrize("read", [lines_since, newest_lines])
def test_a_line_that_is_longer_than_all_may_be_loses_its_middle(read: type) -> None:
    session = Session()
    session.feed(b"a" * 500 + b"b" * 500)
    text = read(session.screen, 0, session.end, 100).text
    assert text.startswith("aaa")
    assert "900 characters cut" in text
    assert text.endswith("bbb")


def test_what_is_not_kept_any_more_is_told() -> None:
    session = Session()
    session.screen.history.MOST_LINES = 10
    session.feed(b"".join(b"line %d\r\n" % number for number in range(100)))
    assert lines_since(session.screen, 0, session.end, 10_000).dropped
    assert not lines_since(session.screen, session.end - 20, session.end, 10_000).dropped
