import time

import pytest

from pyro_mcp.workspaces.text.nearest import name_difference, nearest_matches


@pytest.mark.parametrize(
    ("wanted", "there", "name"),
    [
        (b"a", b"a\r", "line_ending"), (b"a ", b"a", "trailing_whitespace"), (b"  a", b"\ta", "indentation"),
        (b"a  = 1", b"a = 1", "whitespace"), (b"a=1", b"a = 1", "whitespace"), (b"x = 'a'", b'x = "a"', "quotes"),
        ("“a”".encode(), b'"a"', "quotes"), (b"Abc", b"abc", "case"), (b"abc", b"abd", "text"), (b"\xff", b"\xfe!", "text"),
    ],
)  # fmt: skip
def test_what_keeps_two_lines_apart_has_a_name(wanted: bytes, there: bytes, name: str) -> None:
    assert name_difference(wanted, there) == name


def test_lines_that_match_vote_for_the_place() -> None:
    lines = [b"def a():", b"    x = 1", b"", b"def b():", b"    x = 1", b"    y = 2"]
    (near, *_) = nearest_matches(lines, [b"def b():", b"    x = 2", b"    y = 2"])
    assert (near.start_line, near.end_line) == (4, 6)
    assert [(one.line, one.wanted, one.file) for one in near.differences] == [(5, "    x = 2", "    x = 1")]


def test_a_line_only_one_side_has_is_told_as_such() -> None:
    lines = [b"first", b"between", b"second", b"third"]
    (near,) = nearest_matches(lines, [b"first", b"second", b"third"], limit=1)
    assert [(one.difference, one.file) for one in near.differences] == [("only_file", "between")]
    (near,) = nearest_matches([b"first", b"third"], [b"first", b"second", b"third"], limit=1)
    assert [(one.difference, one.wanted, one.line) for one in near.differences] == [
        ("only_wanted", "second", None)
    ]


def test_without_a_common_line_words_decide() -> None:
    lines = [b"alpha beta", b"return compute(total, 3)", b"gamma"]
    (near,) = nearest_matches(lines, [b"    return compute(totals, 4)"])
    assert near.start_line == 2


def test_the_place_nearest_the_expected_line_comes_first_among_equals() -> None:
    lines = [b"same one", b"x"] * 20
    near, *_ = nearest_matches(lines, [b"same one", b"y"], expected=20)
    assert near.start_line == 21


def test_nothing_alike_finds_nothing() -> None:
    assert nearest_matches([b"abc"], [b"xyz"]) == ()
    assert nearest_matches([], [b"xyz"]) == ()
    assert nearest_matches([b"abc"], [b"", b"  "]) == ()


def test_the_cost_is_bounded_on_a_large_file() -> None:
    lines = [b"    value_%d = compute_%d(%d)" % (n % 977, n % 31, n) for n in range(300_000)]
    began = time.perf_counter()
    assert nearest_matches(lines, [b"    value_5 = computer_7(x)", b"foo bar value"], expected=150_000)
    assert time.perf_counter() - began < 3  # some 0.3 s; a square of the lines would be hours
