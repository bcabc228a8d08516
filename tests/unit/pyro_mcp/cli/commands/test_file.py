import base64
import io
import json
import sys
from pathlib import Path

import pytest
from tests.unit.pyro_mcp.cli.conftest import AskInstead

from pyro_mcp.cli.main import run_cli
from pyro_mcp.models.edit import Edit
from pyro_mcp.models.file import FileContent, FileEdited, FileWritten

_WRITTEN = FileWritten(path="a", size=1, mode="0644", sha256="5" * 64, created=True)
_EDITED = FileEdited(path="a", replacements=(), total=0, size=1, sha256="5" * 64)


def _read(content: str, encoding: str = "utf-8") -> FileContent:
    return FileContent(
        path="a",
        content=content,
        encoding=encoding,  # type: ignore[arg-type]
        start_line=1,
        end_line=1,
        total_lines=1,
        size=1,
        mode="0644",
        sha256="5" * 64,
    )


def _file(*line: str) -> int:
    return run_cli(["workspace", "file", *line])


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> bytes:
    """What standard input gives."""
    given = b"from stdin\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
    return given


@pytest.mark.parametrize(
    ("content", "encoding", "shown"),
    [("no end", "utf-8", b"no end"), (base64.b64encode(b"\0\xff").decode(), "base64", b"\0\xff")],
)
def test_content_only_is_the_content_byte_for_byte(
    content: str,
    encoding: str,
    shown: bytes,
    ask_instead: AskInstead,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    ask_instead("files.reading.read_file", _read(content, encoding))
    assert _file("read", "ws", "a", "--encoding", encoding, "--content-only") == 0
    sys.stdout.flush()
    assert capfdbinary.readouterr().out == shown


def test_read_asks_for_lines_and_tells_the_hash(
    ask_instead: AskInstead, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ask_instead("files.reading.read_file", _read("text\n"))
    assert _file("read", "ws", "a", "--start-line", "3", "--end-line", "4") == 0
    assert asked.arguments == ["ws", "a"]
    assert (asked.options["start_line"], asked.options["end_line"]) == (3, 4)
    assert "text" in capsys.readouterr().out
    assert _file("read", "ws", "a", "--json") == 0
    assert json.loads(capsys.readouterr().out)["sha256"] == "5" * 64


def test_write_takes_text_files_and_standard_input(
    ask_instead: AskInstead, tmp_path: Path, stdin: bytes
) -> None:
    asked = ask_instead("files.writing.write_file", _WRITTEN)
    (tmp_path / "bytes").write_bytes(b"\0\xff")
    assert _file("write", "ws", "a", "--text", "ä", "--executable", "--if-match", "absent") == 0
    assert (asked.arguments, asked.options["encoding"]) == (["ws", "a", "ä"], "utf-8")
    assert (asked.options["executable"], asked.options["if_match"]) == (True, "absent")
    assert _file("write", "ws", "a", "--text-file", "-") == 0
    assert asked.arguments[2] == stdin.decode()
    assert _file("write", "ws", "a", "--text-file", str(tmp_path / "bytes")) == 0
    assert (asked.arguments[2], asked.options["encoding"]) == (base64.b64encode(b"\0\xff").decode(), "base64")


def test_edits_come_from_the_line_and_from_a_file(ask_instead: AskInstead, tmp_path: Path) -> None:
    asked = ask_instead("files.writing.edit_file", _EDITED)
    (tmp_path / "edits").write_text(json.dumps([{"old": "c", "new": "d", "count": 2}]))
    assert _file("edit", "ws", "a", "--edit", "a", "b", "--edits-file", str(tmp_path / "edits")) == 0
    assert asked.arguments == ["ws", "a", [Edit("a", "b"), Edit("c", "d", 2)]]


@pytest.mark.parametrize(
    ("line", "brief"),
    [
        ("write ws a", "give one of --text and --text-file"),
        ("write ws a --text x --text-file y", "give one of --text and --text-file"),
        ("write ws a --text-file NOWHERE", "cannot be read"),
        ("edit ws a --edits-file NOWHERE", "cannot be read"),
        ("edit ws a --edits-file NONSENSE", "holds no edits"),
        ("edit ws a --edits-file WRONG", "holds no edits"),
    ],
)
def test_a_line_that_makes_no_sense_changes_nothing(
    line: str, brief: str, ask_instead: AskInstead, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [ask_instead(f"files.writing.{name}_file", None) for name in ("write", "edit")]
    (tmp_path / "NONSENSE").write_text("[")
    (tmp_path / "WRONG").write_text('[{"from": "a"}]')
    words = [str(tmp_path / word) if word.isupper() else word for word in line.split()]
    assert _file(*words) == 2
    first, *_, last = capsys.readouterr().err.splitlines()
    assert brief in first
    assert last.startswith("hint: ")
    assert [one.arguments for one in asked] == [[], []]
