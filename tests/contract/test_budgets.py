"""What a model has to read, and what a first line costs: tested, for both only ever grow."""

import json
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


_HELP = """
import contextlib, io, sys
from pyro_mcp.cli.main import run_cli
with contextlib.redirect_stdout(io.StringIO()):
    run_cli(["--help"])
print(*sys.modules)
"""


def test_help_imports_next_to_nothing() -> None:
    """What makes it quick; how quick it is, `make bench` tells."""
    done = subprocess.run([sys.executable, "-c", _HELP], capture_output=True, check=True, text=True)
    loaded = set(done.stdout.split())
    assert len(loaded) <= 150  # 112 with click's own on Python 3.11
    assert len([name for name in loaded if name.startswith("pyro_")]) <= 10


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
