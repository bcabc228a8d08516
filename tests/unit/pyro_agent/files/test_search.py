"""A search finds what a search line by line would find, quickly, and says when it was cut short."""

from __future__ import annotations

import re
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.pyro_agent.workspace_root import Desk, Root
from tests.unit.pyro_agent.workspace_root import root as root

from pyro_agent.files.search import Lines, search_tree
from pyro_agent.workers.desk import Desk as RealDesk
from pyro_wire.faults import FaultError
from pyro_wire.messages import Message

_PATTERNS = [
    "a", "^a", "a$", "^$", "b*", r"a\s*b", r"\Aa", r"b\Z", "a(?!b)", "(?<!a)b", r"\bab\b", "[^a]", "a|^b$",
    "(?=a)", r"a\Sb", "(?s)a.b", "a++b", "(?>a+)b", "(a)\\1", r"\n", "[^x]*+$", "x*$", r"\Bb", "(?i)A",
]  # fmt: skip


@given(st.text(alphabet="ab x\n", max_size=30), st.sampled_from(_PATTERNS))
def test_many_lines_at_a_time_match_as_each_line_would(text: str, pattern: str) -> None:
    try:
        one = re.compile(pattern)
    except re.error:  # atomic groups are new in 3.11
        return
    lines = text.removesuffix("\n").split("\n") if text else []
    expected = [number for number, line in enumerate(lines) if one.search(line)]
    assert [number for number, _ in Lines(pattern, ignore_case=False).matching(text)] == expected


def search(**request: object) -> tuple[list[dict[str, object]], Message]:
    desk = Desk()
    answer = search_tree(request, cast("RealDesk", desk))
    return list(desk.lines()), answer


def test_matches_come_with_their_surroundings(root: Root) -> None:
    (root.workspace / "f").write_bytes(b"one\r\ntwo\nthree\nfour\n")
    found, answer = search(pattern="^t.*$", context=1)
    assert found == [
        {"path": "f", "line": 2, "text": "two", "before": ["one"], "after": ["three"]},
        {"path": "f", "line": 3, "text": "three", "before": ["two"], "after": ["four"]},
    ]
    assert (answer["matches"], answer["files"], answer["more"]) == (2, 1, False)


def test_what_is_no_text_or_too_large_or_not_asked_for_is_passed_over(root: Root) -> None:
    for name, content in {"a.py": b"x", "b.py": b"x\0", "c.txt": b"x", "d.py": b"x" * 100}.items():
        (root.workspace / name).write_bytes(content)
    (root.workspace / ".git").mkdir()
    (root.workspace / ".git/e.py").write_bytes(b"x")
    (root.workspace / "l.py").symlink_to("a.py")
    found, answer = search(pattern="x", glob="*.py", max_file_bytes=50)
    assert [match["path"] for match in found] == ["a.py"]
    assert (answer["skipped_binary"], answer["skipped_large"]) == (1, 1)
    assert (answer["files"], answer["searched"]) == (1, 1)
    _, answer = search(pattern="nowhere")
    assert (answer["files"], answer["searched"]) == (0, 3)


def test_a_limit_is_told_and_a_file_may_be_named(root: Root) -> None:
    (root.workspace / "f").write_text("x\n" * 10)
    found, answer = search(path="f", pattern="x", limit=3)
    assert [match["line"] for match in found] == [1, 2, 3]
    assert found[0]["path"] == ""
    assert answer["more"] is True


def test_a_pattern_that_never_ends_is_ended(root: Root) -> None:
    (root.workspace / "a").write_text("aaa\n")
    (root.workspace / "b").write_text("a" * 60 + "!\n")
    found, answer = search(pattern="(a+)+$", timeout_ms=100)
    assert [match["path"] for match in found] == ["a"]
    assert (answer["more"], answer["timed_out"]) == (True, True)


def test_bytes_that_are_no_utf_8_are_kept(root: Root) -> None:
    (root.workspace / "f").write_bytes(b"caf\xe9 x\n")
    ((found,), _) = search(pattern="x")
    assert found["text"] == "caf\udce9 x"


def test_what_is_no_pattern_is_told(root: Root) -> None:
    with pytest.raises(FaultError, match="pattern"):
        search(pattern="(")
    with pytest.raises(FaultError, match="No such file"):
        search(path="none", pattern="x")
