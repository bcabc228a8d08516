"""A page, the end, or the lines that match: what is not shown is told."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from pyro_mcp.mcp_server.texts.workspace import output_text
from pyro_mcp.models.run import StreamName
from pyro_mcp.models.workspace import OutputText
from pyro_mcp.workspaces.outputs import search
from pyro_mcp.workspaces.outputs.reading import read_output
from pyro_mcp.workspaces.outputs.store import OutputStore
from pyro_mcp.workspaces.session import Sessions


class Output:
    """What one command wrote."""

    def __init__(self, directory: Path) -> None:
        self._store = OutputStore(directory)
        self._id, self._files = self._store.new()

    def write(self, stream: StreamName, data: bytes) -> None:
        (self._files / stream).write_bytes(data)

    def grep(
        self,
        pattern: str,
        *,
        stream: StreamName = "stdout",
        tail_lines: int | None = None,
        limit: int = 24_000,
    ) -> OutputText:
        sessions = SimpleNamespace(
            record=lambda _: SimpleNamespace(id="ws"),
            directories=SimpleNamespace(outputs=lambda _: self._store),
        )
        return read_output(
            cast("Sessions", sessions),
            "ws",
            self._id,
            stream=stream,
            offset=0,
            limit=limit,
            tail_lines=tail_lines,
            grep=pattern,
        )


@pytest.fixture
def output(tmp_path: Path) -> Output:
    return Output(tmp_path)


def test_the_first_of_many_matches_are_told_as_such(output: Output) -> None:
    output.write("stdout", b"".join(b"row %d\n" % number for number in range(50_001)))
    found = output.grep("^row")
    assert (found.matches, found.total_matches) == (100, 50_001)
    assert output_text(found).startswith("first 100 matching lines of stdout, of 50001\n1: row 0\n")


def test_tail_lines_beside_grep_gives_the_last_matches(output: Output) -> None:
    output.write("stdout", b"row a\nother\nrow b\nrow c\n")
    found = output.grep("row", tail_lines=2)
    assert found.text == "3: row b\n4: row c"
    assert output_text(found).startswith("last 2 matching lines of stdout, of 3\n")
    assert output_text(output.grep("row", tail_lines=3)).startswith("3 matching lines of stdout\n")


def test_matches_keep_within_the_limit_from_the_end_that_was_asked_for(output: Output) -> None:
    output.write("stdout", b"row a\nrow b\nrow c\n")
    assert output.grep("row", limit=20).text == "1: row a\n2: row b"
    assert output.grep("row", limit=20, tail_lines=3).text == "2: row b\n3: row c"
    assert output.grep("row", limit=1).matches == 1


def test_no_match_here_tells_of_those_in_the_other_stream(output: Output) -> None:
    output.write("stderr", b"an error\n")
    assert output_text(output.grep("error")) == "No line of stdout matches; stderr has 1."
    assert output_text(output.grep("nowhere")) == "No line of stdout matches; nor of stderr."


def test_a_search_without_end_is_told_as_ended(output: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "SECONDS", 0.3)
    output.write("stdout", b"a" * 60 + b"b\n")
    found = output.grep("^(a+)+$")
    assert found.gave_up
    assert "use a simpler grep" in output_text(found)
