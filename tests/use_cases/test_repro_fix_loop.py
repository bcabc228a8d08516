"""Repro and fix: a real bug of a real release, seen, mended and tested in a workspace; the next release has the same fix."""

from pathlib import Path

import pytest
from tests.opened import git, outliving
from tests.use_cases import releases
from tests.use_cases.doors import DoorName, working

pytestmark = [outliving, pytest.mark.timeout(600), pytest.mark.usefixtures("environment", "home")]
_REPORT = (
    "from more_itertools import split_after; print(list(split_after([1], lambda x: x == 1, maxsplit=1)))"
)


@pytest.mark.parametrize("door", ["mcp", "cli", "sdk"])
def test_repro_fix_loop(tmp_path: Path, door: DoorName) -> None:
    project, answer = releases.with_bug(tmp_path), releases.fixed(tmp_path)
    name = "split-after"
    with working("repro-fix-loop", door, profile="workspace-core", host_root=project) as call:
        call("workspace_create", name=name, seed_path=".")
        seen = call("workspace_exec", workspace=name, command=["python3", "-B", "-c", _REPORT])
        assert seen["stdout"] == "[[1], []]\n"

        found = call(
            "workspace_file_search", workspace=name, path="tests", pattern="def split_after|class SplitAfter"
        )
        line = found["matches"][0]["line"]
        call("workspace_file_read", workspace=name, path=releases.TESTS, start_line=line, end_line=line + 60)
        test = [{"old": releases.LAST_CASE, "new": releases.NEW_CASE}]
        call("workspace_file_edit", workspace=name, path=releases.TESTS, edits=test)
        assert call("workspace_exec", workspace=name, command=releases.CLOSE)["exit_code"] == 1

        found = call(
            "workspace_file_search",
            workspace=name,
            path="more_itertools",
            pattern="def split_after",
            glob="*.py",
        )
        line = found["matches"][0]["line"]
        call("workspace_file_read", workspace=name, path=releases.FILE, start_line=line, end_line=line + 34)
        fix = [{"old": releases.BUG, "new": releases.FIX}]
        call("workspace_file_edit", workspace=name, path=releases.FILE, edits=fix)
        assert call("workspace_exec", workspace=name, command=releases.SUITE)["exit_code"] == 0

        summary = call("workspace_summary", workspace=name)
        assert {file["path"]: file["kind"] for file in summary["files"]} == {
            releases.FILE: "source",
            releases.TESTS: "test",
        }
        assert summary["tests_after"]["failed"] == 0
        assert summary["findings"] == []
        call("workspace_export", workspace=name, format="patch", output_path="fix.patch")
        call("workspace_delete", workspace=name)
    git(project, "apply", "fix.patch")
    assert _function(project) == _function(answer)


def _function(root: Path) -> str:
    """The text of split_after, as it stands in a release."""
    return (root / releases.FILE).read_text().partition("def split_after(")[2].partition("\ndef ")[0]
