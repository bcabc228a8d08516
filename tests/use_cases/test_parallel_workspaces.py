"""Parallel attempts: four of them at one bug, side by side in forks of one prepared workspace; compared, one chosen."""

from pathlib import Path
from typing import Any

import pytest
from tests.opened import git, outliving
from tests.use_cases import releases
from tests.use_cases.doors import DoorName, Job, working

pytestmark = [outliving, pytest.mark.timeout(600), pytest.mark.usefixtures("environment", "home")]
_NAMES = ["try-a", "try-b", "try-c", "try-d"]


@pytest.mark.parametrize("door", ["mcp", "cli", "sdk"])
def test_parallel_workspaces(tmp_path: Path, door: DoorName) -> None:
    project = releases.with_bug(tmp_path)
    with working("parallel-workspaces", door, profile="workspace-full", host_root=project) as call:
        call("workspace_create", name="try", seed_path=".", labels={"issue": "split-after"})
        test = [{"old": releases.LAST_CASE, "new": releases.NEW_CASE}]
        call("workspace_file_edit", workspace="try", path=releases.TESTS, edits=test)
        call("snapshot_create", workspace="try", snapshot="test-written")
        forked = call("workspace_fork", workspace="try", count=4, names=_NAMES, from_snapshot="test-written")
        assert [fork["workspace"]["name"] for fork in forked["forks"]] == _NAMES

        _edit(call, "try-a", releases.FILE, releases.BUG, releases.FIX)
        _edit(call, "try-b", releases.FILE, releases.BUG, releases.BUG.replace("list(it)", "[*it] or [None]"))
        _edit(
            call, "try-c", releases.TESTS, releases.NEW_CASE, releases.LAST_CASE
        )  # it takes the test out again
        _edit(call, "try-d", releases.FILE, "def split_after(", "def split_after_(")
        for name in _NAMES:
            call("workspace_exec", workspace=name, command=releases.CLOSE)

        compared = call("workspace_compare", workspaces=_NAMES)
        passing = [item["workspace"] for item in compared["attempts"] if _passes(item)]
        assert passing == ["try-a", "try-c"]
        (shared,) = [file for file in compared["files"] if file["path"] == releases.FILE]
        (best,) = set(passing) & set(shared["workspaces"])  # the other took out the test instead
        assert best == "try-a"
        call("workspace_export", workspace=best, format="patch", output_path="best.patch")
        for name in ["try", *_NAMES]:
            call("workspace_delete", workspace=name)
    git(project, "apply", "best.patch")
    assert releases.FIX in (project / releases.FILE).read_text()


def _edit(call: Job, name: str, path: str, old: str, new: str) -> None:
    call("workspace_file_edit", workspace=name, path=path, edits=[{"old": old, "new": new}])


def _passes(attempt: dict[str, Any]) -> bool:
    """Whether its last test run was without failures; an import that fails has no counts at all, and is not told of them."""
    tests = attempt.get("tests")
    return tests is not None and not tests["failed"] and not tests["errors"]
