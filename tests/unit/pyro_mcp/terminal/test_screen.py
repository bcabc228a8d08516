"""What the terminal does with text, controls and sequences."""

import pytest

from pyro_mcp.terminal.screen import Screen


def screen(data: bytes, columns: int = 10, rows: int = 4) -> Screen:
    made = Screen(columns, rows)
    made.feed(data)
    return made


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"one\r\ntwo", ["one", "two"]),
        (b"10%\r 20%\r100%", ["100%"]),
        (b"abc\x08\x08X", ["aXc"]),
        (b"a\tb", ["a       b"]),
        (b"0123456789ab", ["0123456789", "ab"]),
        (b"\x1b[?7l0123456789ab", ["012345678b"]),
        (b"abcdef\x1b[3D\x1b[K", ["abc"]),
        (b"abcdef\x1b[3D\x1b[1K", ["    ef"]),
        (b"abcdef\r\x1b[2P", ["cdef"]),
        (b"abcdef\r\x1b[2@", ["  abcdef"]),
        (b"abcdef\r\x1b[2X", ["  cdef"]),
        (b"abc\r\x1b[4hX\x1b[4lY", ["XYbc"]),
        (b"a\r\nb\r\nc\x1b[H\x1b[L", ["", "a", "b", "c"]),
        (b"a\r\nb\r\nc\x1b[H\x1b[M", ["b", "c"]),
        (b"a\r\nb\x1b[H\x1b[2JX", ["X"]),
        (b"a\r\nb\r\nc\x1b[2;2H\x1b[J", ["a", "b"]),
        (b"a\r\nb\r\nc\x1b[2;1H\x1b[1J", ["", "", "c"]),
        (b"\x1b[2;3r\x1b[3;1Ha\r\nb\r\nc", ["", "b", "c"]),
        (b"\x1b[2;3r\x1b[2;1Ha\x1bMb", ["", " b", "a"]),
        (b"a\x1b7\x1b[3;3Hb\x1b8c", ["ac", "", "  b"]),
        (b"a\x1b[sb\x1b[uc", ["ac"]),
        (b"x\x1b[3b", ["xxxx"]),
        (b"\x1b(0lqk\x1b(B q", ["┌─┐ q"]),
        (b"\x0e\x1b)0q\x0fq", ["─q"]),
        (b"\x1b#8\x1b[2J\x1b[HA", ["A"]),
        (b"a\x1bcb", ["b"]),
        (b"\x1b[5;5Hx\x1b[100Ay", ["     y", "", "", "    x"]),
        (b"\x1b[2;5f\x1b[2Gx\x1b[1dy", ["  y", " x"]),
        (b"a\x1b[3g\tb", ["a        b"]),
        (b"  \x1bH\ra\tb\x1b[Zc", ["c b"]),
        (b"1\n2\x1bE3\x1bD4", ["1", " 2", "3", " 4"]),
        (b"\x1b[?6h\x1b[2;3r\x1b[1;1Hx", ["", "x"]),
        (b"\x1b[20h1\n2", ["1", "2"]),
        (b"a\x1b[Eb\x1b[Fc", ["c", "b"]),
        (b"abc\x1b[2Ix\x1b[5ay\x1b[2ez", ["abc      y", "", "         z"]),
        (b"a\r\nb\x1b[S1\x1b[2T2", ["", "  2", "b", " 1"]),
    ],
)
def test_what_is_shown(data: bytes, shown: list[str]) -> None:
    assert screen(data).grid.text() == shown
    whole, piecewise = screen(data), Screen(10, 4)
    for byte in data:
        piecewise.feed(bytes([byte]))
    assert piecewise.grid.text() == whole.grid.text()
    assert (piecewise.grid.x, piecewise.grid.y) == (whole.grid.x, whole.grid.y)


@pytest.mark.parametrize(
    "silent",
    [
        b"\x1b[1;31m",
        b"\x1b[38:2::1:2:3m",
        b"\x1b]0;a title\x07",
        b"\x1b]8;;http://example.org\x1b\\",
        b"\x1bP+q544e\x1b\\",
        b"\x1b_payload\x1b\\",
        b"\x1bP a bell \x07 inside\x1b\\",
        b"\x1b[>4;2m",
        b"\x1b[?2004h",
        b"\x1b[22;0;0t",
        b"\x1b=",
        b"\x1b%G",
        b"\x1b[31\x18",
        b"\x1b]0;cut\x18",
        b"\x1b[1\x1b[2m",
        b"\x1b[;;;;;m",
        b"\x1b[99999999999999999999m",
        b"\x1b[=5u",
        b"\x07\x00\x05\x7f",
    ],
)
def test_sequences_that_show_nothing_leave_nothing_behind(silent: bytes) -> None:
    assert screen(b"a" + silent + b"b").grid.text() == ["ab"]
    made = Screen(10, 4)
    for byte in b"a" + silent + b"b":
        made.feed(bytes([byte]))
    assert made.grid.text() == ["ab"]


def test_a_string_without_end_is_bounded_and_ends_with_the_next_escape() -> None:
    made = screen(b"\x1b]0;" + b"x" * 1_000_000)
    made.feed(b"y" * 1_000_000 + b"\x07shown")
    assert made.grid.text() == ["shown"]


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        ("日本語", ["日本語"]),
        ("é".encode().decode(), ["é"]),
        ("e\u0301x", ["éx"]),
        ("x\u0323\u0323", ["x\u0323\u0323"]),
        ("日本\rx", ["x 本"]),
        ("日\x08x", [" x"]),
        ("12345678日本", ["12345678日", "本"]),
        ("123456789日", ["123456789", "日"]),
        ("\u202eabc\u2066", ["abc"]),
        ("a\u009b31mb", ["a31mb"]),
    ],
)
def test_wide_and_combining_characters(data: str, shown: list[str]) -> None:
    made = Screen(10, 4)
    made.feed(data.encode())
    assert made.grid.text() == shown


def test_bytes_that_are_no_text_are_shown_as_such_and_take_no_sequence_with_them() -> None:
    assert screen(b"\xff\x1b[1mx\xc3\x1b[0m\xc3").grid.text() == ["\ufffdx\ufffd"]
    assert screen(b"a\x9b1mb").grid.text() == ["a\ufffd1mb"]


def test_the_second_screen_leaves_the_first_as_it_was() -> None:
    made = screen(b"shell\r\n$ vi")
    made.feed(b"\x1b[?1049h\x1b[Hfull")
    assert made.alternate
    assert made.full_screen
    assert made.grid.text() == ["full"]
    made.feed(b"\x1b[?1049l")
    assert made.grid.text() == ["shell", "$ vi"]
    assert (made.grid.x, made.grid.y) == (4, 1)
    made.feed(b"\x1b[?1049h")
    assert made.grid.text() == []


def test_lines_that_leave_at_the_top_are_history_unless_only_a_part_scrolls() -> None:
    made = screen(b"".join(b"%d\r\n" % number for number in range(10)))
    assert [line.text for line in made.history] == [str(number) for number in range(7)]
    made.feed(b"\x1b[2;4r\x1b[4;1H" + b"x\r\n" * 10)
    assert len(list(made.history)) == 7


def test_history_is_bounded() -> None:
    made = Screen(10, 2)
    made.history.MOST_LINES = 100
    made.feed(b"".join(b"%d\r\n" % number for number in range(1000)))
    kept = [line.text for line in made.history]
    assert (len(kept), kept[-1]) == (100, "998")
    assert made.history.forgotten > 0


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        (b"\x1b[6n", b"\x1b[1;3R"),
        (b"\x1b[?6n", b"\x1b[?1;3R"),
        (b"\x1b[5n", b"\x1b[0n"),
        (b"\x1b[c", b"\x1b[?62;22c"),
        (b"\x1b[0c", b"\x1b[?62;22c"),
        (b"\x1b[>c", b"\x1b[>1;10;0c"),
        (b"\x1b[?2026$p", b"\x1b[?2026;0$y"),
        (b"\x1b[1c", b""),
    ],
)
def test_programs_that_ask_are_answered(asked: bytes, answered: bytes) -> None:
    said: list[bytes] = []
    made = Screen(10, 4, said.append)
    made.feed(b"ab" + asked)
    assert b"".join(said) == answered


def test_a_smaller_screen_keeps_the_lines_above_the_cursor_as_history() -> None:
    made = screen(b"1\r\n2\r\n3\r\n4")
    made.resize(3, 2)
    assert [line.text for line in made.history] == ["1", "2"]
    assert made.grid.text() == ["3", "4"]
    made.resize(20, 6)
    made.feed(b" and more")
    assert made.grid.text() == ["3", "4 and more"]


def test_a_smaller_screen_first_gives_up_blank_rows() -> None:
    made = screen(b"1\r\n2")
    made.resize(10, 2)
    assert made.grid.text() == ["1", "2"]
    assert not list(made.history)


def test_a_program_that_begins_at_the_top_draws_until_it_scrolls_or_ends() -> None:
    made = screen(b"\x1b]133;A\x07$ \x1b]133;B\x07\x1b]133;C\x07")
    assert not made.full_screen
    made.feed(b"\x1b[Hframe")
    assert made.full_screen
    made.feed(b"\r\n" * 5)
    assert not made.full_screen
    made.feed(b"\x1b[H\x1b]133;D;0\x07\x1b]133;A\x07")
    assert not made.full_screen


def test_the_state_after_random_bytes_is_a_screen_of_the_same_size() -> None:
    import random

    chance = random.Random(7)
    made = Screen(20, 5)
    alphabet = b"\x1b\x1b\x1b[[]?;0123456789ABCDEFGHJKLMPSTXZabcdefghlmnrsu@`\r\n\t\x08\x0e\x0fxyz\xe6\x97\xa5\xcc\x81#8()0"
    for round_number in range(3000):
        made.feed(bytes(chance.choice(alphabet) for _ in range(30)))
        if round_number % 100 == 0:
            made.resize(chance.randint(1, 40), chance.randint(1, 9))
        assert len(made.grid.rows) == made.height
        assert all(len(row.cells) == made.columns for row in made.grid.rows)
        assert 0 <= made.grid.x < made.columns
        assert 0 <= made.grid.y < made.height
        assert "\x1b" not in "".join(made.grid.text())
