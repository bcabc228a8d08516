"""What a search found is named as the next call can take it; what a reading leaves out is told."""

import hashlib
from typing import Any, ClassVar, cast

import pytest
from tests.unit.pyro_mcp.workspaces.answering import Agent

from pyro_mcp.models.file import FileContent
from pyro_mcp.redaction import Redactor
from pyro_mcp.workspaces.files.reading import list_files, named_from, read_file
from pyro_mcp.workspaces.session import Session
from pyro_wire.messages import Message


class _Reader(Agent):
    redactor = Redactor({})
    asked: ClassVar[Message] = {}

    def ask(self, message: Message, **given: Any) -> Message:
        type(self).asked = message
        return super().ask(message, **given)

    def note(self, **_: object) -> None:
        pass


def _read(content: str, *, start_line: int = 1, max_chars: int | None = None) -> FileContent:
    data = content.encode()
    answer = {
        "kind": "file",
        "mode": 0o644,
        "size": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "target": None,
    }
    return read_file(
        cast("Session", _Reader(answer, data)),
        "f",
        start_line=start_line,
        end_line=None,
        max_chars=max_chars,
        encoding="utf-8",
    )


def test_a_line_that_is_cut_is_told_of_also_when_it_is_the_last() -> None:
    read = _read(f"one\n{'x' * 30_000}\nthree\n", start_line=2, max_chars=18_000)
    assert (read.end_line, read.truncated, read.cut_chars) == (2, True, 12_000)
    read = _read("y" * 50_007, max_chars=200)
    assert (len(read.content), read.truncated, read.cut_chars) == (200, True, 49_807)
    read = _read("one\ntwo\n", max_chars=4)
    assert (read.content, read.truncated, read.cut_chars) == ("one\n", True, 0)


def test_lines_are_counted_as_searches_and_patches_count_them() -> None:
    read = _read("a\fb\n\u2028two\x85\r\nthree\n", start_line=2)
    assert (read.content, read.total_lines) == ("\u2028two\x85\r\nthree\n", 3)


@pytest.mark.parametrize(
    ("place", "below", "named"),
    [
        ("/workspace", "src/a.py", "src/a.py"),
        ("", "a.py", "a.py"),
        (".", "a.py", "a.py"),
        ("src/", "a.py", "src/a.py"),
        ("/workspace/src", "b/a.py", "src/b/a.py"),
        ("./src/a.py", "", "src/a.py"),
        ("/etc", "hosts", "/etc/hosts"),
        ("/", "etc/hosts", "/etc/hosts"),
        ("/workspaces", "a", "/workspaces/a"),
    ],
)
def test_a_match_is_named_with_the_place_that_was_searched(place: str, below: str, named: str) -> None:
    assert named_from(place, below) == named


@pytest.mark.parametrize(
    ("glob", "given", "depth"),
    [
        (None, None, 1),
        ("*.py", None, 1),
        ("**/*.py", None, 100),
        ("src/*.py", None, 2),
        ("/src/*/x", None, 3),
        ("**/*.py", 2, 2),
    ],
)
def test_a_glob_implies_the_depth_that_it_needs(glob: str | None, given: int | None, depth: int) -> None:
    agent = _Reader({"more": False})
    list_files(cast("Session", agent), "/workspace", depth=given, glob=glob)
    assert (agent.asked["depth"], agent.asked["glob"]) == (depth, glob)
