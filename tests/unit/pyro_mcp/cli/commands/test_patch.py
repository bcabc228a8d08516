import io
import json
import sys
from pathlib import Path

import pytest
from tests.unit.pyro_mcp.cli.conftest import AskInstead

from pyro_mcp.cli.main import run_cli
from pyro_mcp.models.patch import PatchReport

_REPORT = PatchReport(applicable=True, files=())
_PATCH = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n"


def _apply(*line: str) -> int:
    return run_cli(["workspace", "patch", "apply", "ws", *line])


def test_a_patch_comes_from_the_line_a_file_or_standard_input(
    ask_instead: AskInstead, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ask_instead("patch.applying.apply_patch", _REPORT)
    (tmp_path / "patch").write_bytes(_PATCH.encode() + b"\xff")
    assert _apply("--patch", _PATCH, "--dry-run") == 0
    assert asked.arguments == ["ws", _PATCH]
    assert asked.options == {"dry_run": True, "strip": "auto"}
    assert _apply("--patch-file", str(tmp_path / "patch"), "--strip", "2") == 0
    assert asked.arguments == ["ws", _PATCH + "\udcff"]
    assert asked.options == {"dry_run": False, "strip": 2}
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"from stdin")))
    assert _apply("--patch-file", "-") == 0
    assert asked.arguments == ["ws", "from stdin"]


def test_json_is_the_report(ask_instead: AskInstead, capsys: pytest.CaptureFixture[str]) -> None:
    ask_instead("patch.applying.apply_patch", _REPORT)
    assert _apply("--patch", _PATCH, "--json") == 0
    assert json.loads(capsys.readouterr().out)["applicable"] is True


@pytest.mark.parametrize(
    ("line", "brief"),
    [
        ([], "give one of --patch and --patch-file"),
        (["--patch", "x", "--patch-file", "y"], "give one of --patch and --patch-file"),
        (["--patch", "x", "--strip", "one"], "strip 'one' is neither a number nor auto"),
        (["--patch-file", "/nowhere/at/all"], "cannot be read"),
    ],
)
def test_a_line_that_makes_no_sense_changes_nothing(
    line: list[str], brief: str, ask_instead: AskInstead, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ask_instead("patch.applying.apply_patch", _REPORT)
    assert _apply(*line) == 2
    first, *_, last = capsys.readouterr().err.splitlines()
    assert brief in first
    assert last.startswith("hint: ")
    assert asked.arguments == []
