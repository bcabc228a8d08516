"""A host's disk that fills up in the middle of work: commands go on, and say what is missing."""

import os
from contextlib import suppress
from pathlib import Path

import pytest
from tests.broken import full_disk

from pyro_mcp import Pyro
from pyro_mcp.environments.values import Environment


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a filesystem, which takes root")
def test_a_command_ends_though_its_output_cannot_be_kept(environment: Environment, home: Path) -> None:
    """It goes on, and its answer says that something is missing."""
    with Pyro().workspace.create() as workspace:
        workspace.exec("true")
        outputs = home / "state/workspaces" / workspace.info.workspace_id / "outputs"
        with full_disk(outputs, 1):
            done = workspace.exec("head -c 3000000 /dev/zero | tr '\\0' x; echo ran > ran")
            assert (done.outcome, done.exit_code, done.stdout_truncated) == ("finished", 0, True)
            assert 0 < len(done.stdout) < 2 << 20
            with suppress(OSError):
                (outputs / "rest").write_bytes(bytes(2 << 20))
            late = workspace.exec("echo late > ran")
            assert (late.outcome, late.stdout) == ("finished", "")
        assert workspace.exec("cat ran").stdout == "late\n"
