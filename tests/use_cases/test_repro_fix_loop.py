"""Repro and fix: see the bug, mend it, see that it is gone, take the change out, leave nothing."""

from pathlib import Path

import pytest
from tests.opened import git, outliving
from tests.smoke.project import BUG, FIX, write_project
from tests.use_cases.doors import DoorName, working

pytestmark = [outliving, pytest.mark.timeout(300), pytest.mark.usefixtures("environment", "home")]


@pytest.mark.parametrize("door", ["mcp", "cli", "sdk"])
def test_repro_fix_loop(tmp_path: Path, door: DoorName) -> None:
    write_project(tmp_path)
    with working("repro-fix-loop", door, profile="workspace-core", host_root=tmp_path) as call:
        call("workspace_create", name="fix-parse", seed_path=".")
        failing = call("workspace_exec", workspace="fix-parse", command="python3 -m unittest")
        assert failing["exit_code"] == 1
        call(
            "workspace_file_edit",
            workspace="fix-parse",
            path="pricing/money.py",
            edits=[{"old": BUG, "new": FIX}],
        )
        assert call("workspace_exec", workspace="fix-parse", command="python3 -m unittest")["exit_code"] == 0
        call("workspace_export", workspace="fix-parse", format="patch", output_path="fix.patch")
        call("workspace_delete", workspace="fix-parse")
    git(tmp_path, "apply", "--check", "fix.patch")
