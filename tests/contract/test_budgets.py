"""What a model has to read, and what a first line costs: tested, for both only ever grow."""

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from pyro_mcp import Pyro
from pyro_mcp.mcp_server.server import PyroServer
from pyro_mcp.operations.declare import Profile


@pytest.mark.parametrize(
    ("profile", "most"), [("vm-run", 1_400), ("workspace-core", 16_000), ("workspace-full", 34_000)]
)
def test_the_tool_list_without_output_schemas_stays_within_its_budget(profile: Profile, most: int) -> None:
    tools = [
        tool.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"output_schema"})
        for tool in PyroServer(Pyro(), profile).tools()
    ]
    assert len(json.dumps({"tools": tools}, separators=(",", ":"))) <= most


def test_help_takes_150_ms_of_a_processor() -> None:
    """Its own time, the best of five: how long it takes by the clock depends on what else the host does."""
    assert min(_processor_seconds("--help") for _ in range(5)) <= 0.15


def _processor_seconds(*arguments: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "pyro_mcp", *arguments], capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.parametrize("command", ["list", "status", "logs"])
def test_a_look_at_the_registry_imports_nothing_that_makes_machines(command: str, tmp_path: Path) -> None:
    """It would cost half of what the command takes."""
    names = [] if command == "list" else ["nobody"]
    words = [sys.executable, "-X", "importtime", "-m", "pyro_mcp", "workspace", command, *names]
    done = subprocess.run(
        words, capture_output=True, text=True, check=False, env={"PYRO_HOME": str(tmp_path)}
    )
    assert done.returncode in (0, 3), done.stderr
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "pyro_mcp.workspaces.session" in imported
    heavy = (
        "pyro_mcp.qemu",
        "pyro_mcp.environments",
        "pyro_mcp.guest",
        "pyro_mcp.workspaces.seeding",
        "secrets",
    )
    assert not {name for name in imported if name.startswith(heavy)}
