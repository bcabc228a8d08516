import pytest

from pyro_mcp.errors import Conflict, InvalidRequest
from pyro_mcp.models.edit import Edit
from pyro_mcp.workspaces.files.edit import plan_edits


def refused(content: bytes, *edits: Edit) -> Conflict:
    with pytest.raises(Conflict) as caught:
        plan_edits(content, edits)
    return caught.value


def test_a_replacement_tells_its_lines_and_keeps_every_other_byte() -> None:
    plan = plan_edits(b"\xff\r\na\nb\n\tc", [Edit("a\nb", "x\ny\nz")])
    assert plan.content == b"\xff\r\nx\ny\nz\n\tc"
    (one,) = plan.report.replacements
    assert (one.edit, one.line, one.end_line, plan.report.total) == (1, 2, 4, 1)


def test_edits_build_on_each_other_and_lines_are_those_of_the_result() -> None:
    plan = plan_edits(b"a\nb\nc\n", [Edit("c", "C"), Edit("a", "1\n2\n3"), Edit("2\n3", "two")])
    assert plan.content == b"1\ntwo\nb\nC\n"
    assert [(one.edit, one.line, one.end_line) for one in plan.report.replacements] == [
        (2, 1, 2),
        (3, 2, 2),
        (1, 4, 4),
    ]


def test_a_count_replaces_all() -> None:
    plan = plan_edits(b"x x\nx\n", [Edit("x", "yy", count=3)])
    assert plan.content == b"yy yy\nyy\n"
    assert [one.line for one in plan.report.replacements] == [1, 1, 2]


def test_an_empty_replacement_deletes() -> None:
    assert plan_edits(b"a\nb\nc\n", [Edit("b\n", "")]).content == b"a\nc\n"


def test_text_found_more_often_than_asked_names_its_lines() -> None:
    error = refused(b"x\ny\nx\n", Edit("x", "z"))
    assert "2 times, not once" in error.brief
    assert error.details == "found at lines: 1, 3"
    assert "count=2" in (error.hint or "")


def test_text_found_less_often_than_asked_is_refused() -> None:
    assert "once, not 2 times" in refused(b"x\n", Edit("x", "z", count=2)).brief


def test_places_that_overlap_are_refused() -> None:
    error = refused(b"aaa", Edit("aa", "b"))
    assert "overlapping" in error.brief
    assert "count=" not in (error.hint or "")


@pytest.mark.parametrize(
    ("content", "old", "difference"),
    [
        (b"    return a\n", "\treturn a", "indentation"),
        (b"x = 'a'\n", 'x = "a"', "quotes"),
        (b"foo(a, b)\n", "foo(a,b)", "whitespace"),
        (b"Return a\n", "return a", "case"),
        (b"a  \nb\n", "a\nb", "trailing whitespace"),
    ],
)
def test_text_not_found_shows_the_nearest_lines_and_what_differs(
    content: bytes, old: str, difference: str
) -> None:
    error = refused(content, Edit(old, "new"))
    assert "not in the file" in error.brief
    assert "nearest: line" in (error.details or "")
    assert f"differs in {difference}" in (error.details or "")


def test_lf_in_an_edit_meets_crlf_in_the_file() -> None:
    plan = plan_edits(b"a\r\nb\r\nc\r\n", [Edit("a\nb", "x\ny")])
    assert plan.content == b"x\r\ny\r\nc\r\n"
    assert plan.report.line_endings_adapted


@pytest.mark.parametrize(
    ("content", "edits", "hint"),
    [
        (b"foo\nbar\n", [Edit("1\tfoo\n2\tbar", "x")], "line numbers"),
        (b"foo\n", [Edit("foo", "bar"), Edit("foo", "x")], "An earlier edit"),
        ("foo\n".encode("utf-16"), [Edit("foo", "x")], "UTF-16"),
        (b"\0\1", [Edit("foo", "x")], "binary"),
        (b"foo\n", [Edit(" foo ", "x")], "whitespace at its start or end"),
    ],
)
def test_the_likely_mistake_is_named(content: bytes, edits: list[Edit], hint: str) -> None:
    assert hint in (refused(content, *edits).hint or "")


def test_one_edit_that_does_not_fit_refuses_all() -> None:
    assert "edit 2" in refused(b"a\nb\n", Edit("a", "A"), Edit("c", "C")).brief


def test_requests_that_make_no_sense_are_invalid() -> None:
    for edits in ([], [Edit("a", "a")], [Edit("\ud800", "x")]):
        with pytest.raises(InvalidRequest):
            plan_edits(b"a", edits)
    with pytest.raises(InvalidRequest):
        Edit("", "x")


def test_a_hundred_thousand_places_are_replaced_at_once() -> None:
    plan = plan_edits(b"x\n" * 100_000, [Edit("x", "yy", count=100_000), Edit("yy", "z", count=100_000)])
    assert plan.content == b"z\n" * 100_000
    assert (plan.report.total, len(plan.report.replacements)) == (200_000, 1_000)
