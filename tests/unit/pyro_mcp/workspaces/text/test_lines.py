import pytest

from pyro_mcp.workspaces.text.lines import FileLines, Looseness, text_lines


@pytest.mark.parametrize(
    ("content", "lines", "is_open"),
    [
        (b"", [], False),
        (b"\n", [b""], False),
        (b"a", [b"a"], True),
        (b"a\n", [b"a"], False),
        (b"a\r\nb", [b"a\r", b"b"], True),
    ],
)
def test_a_file_is_split_at_line_feeds(content: bytes, lines: list[bytes], is_open: bool) -> None:
    file = FileLines(content)
    assert (file.lines, file.open) == (lines, is_open)


def test_every_place_is_found_overlapping_ones_too() -> None:
    file = FileLines(b"a\na\na\n")
    assert file.find([b"a", b"a"], Looseness.EXACT, 10) == [0, 1]
    assert file.find([b"a"], Looseness.EXACT, 2) == [0, 1]


def test_lines_are_whole() -> None:
    assert FileLines(b"xa\nax\na").find([b"a"], Looseness.EXACT, 10) == [2]


def test_each_looseness_forgives_more() -> None:
    file = FileLines(b"a\r\nb  \n")
    found = [file.find([b"a", b"b"], looseness, 10) for looseness in Looseness]
    assert found == [[], [], [0]]
    assert file.find([b"a"], Looseness.LINE_ENDINGS, 10) == [0]
    assert not file.lacks([b"a", b"b"])
    assert file.lacks([b"c"])


def test_a_place_is_checked_within_the_file() -> None:
    file = FileLines(b"a\nb\n")
    assert file.has([b"a", b"b"], 0, Looseness.EXACT)
    assert not file.has([b"b", b"c"], 1, Looseness.EXACT)
    assert not file.has([b"a"], -1, Looseness.EXACT)


def test_a_text_is_parted_at_line_feeds_alone() -> None:
    text = "a\fb\vc\x85d\u2028e\rf\r\ng\n\nh"
    assert text_lines(text) == ["a\fb\vc\x85d\u2028e\rf\r\n", "g\n", "\n", "h"]
    assert (text_lines(""), text_lines("\n"), text_lines("a\n")) == ([], ["\n"], ["a\n"])
