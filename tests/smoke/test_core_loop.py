"""Repro and fix with the profile `workspace-core` and nothing else: whole, in few calls, no file written through a shell."""

import os
from pathlib import Path

import pytest
from tests.loop import MOST_CALLS, Counting, play
from tests.opened import git
from tests.smoke.project import BUG, FIX, write_project

_TESTS = ["python3", "-m", "unittest"]


@pytest.mark.timeout(180)
def test_workspace_core_repairs_a_project_in_few_calls(tmp_path: Path) -> None:
    project = tmp_path / "pricing"
    project.mkdir()
    write_project(project)

    async def repair(call: Counting) -> None:
        name = f"issue-17-{os.getpid()}"
        ws = {"workspace": name}
        await call("workspace_create", name=name, seed_path=".")
        failing = await call.execute(name, _TESTS)
        assert failing.data["exit_code"] == 1
        assert "FAIL: test_one_digit" in failing.text
        found = await call("workspace_file_search", **ws, pattern=r"def parse\b")
        assert "pricing/money.py" in found.text
        shown = await call("workspace_file_read", **ws, path="pricing/money.py")
        assert BUG in shown.text
        await call("workspace_file_edit", **ws, path="pricing/money.py", edits=[{"old": BUG, "new": FIX}])
        assert (await call.execute(name, _TESTS)).data["exit_code"] == 0
        changed = await call("workspace_diff", **ws)
        assert [file["path"] for file in changed.data["files"]] == ["pricing/money.py"]
        await call("workspace_export", **ws, format="patch", output_path="fix.patch")
        await call("workspace_reset", **ws)
        assert (await call.execute(name, _TESTS)).data["exit_code"] == 1
        await call("workspace_delete", **ws)

    counted = play(repair, host_root=project, variables=os.environ)
    assert len(counted.calls) <= MOST_CALLS
    git(project, "apply", "fix.patch")
    assert FIX in (project / "pricing/money.py").read_text()
