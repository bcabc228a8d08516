"""A hundred thousand connections to as many places: the keeper stays small, the record short, the numbers true."""

import os
import re
import time
from pathlib import Path

import pytest
from tests.opened import outliving

from pyro_mcp.environments.values import Environment
from pyro_mcp.models.network import NetworkSettings
from pyro_mcp.workspaces.engine import Engine
from pyro_mcp.workspaces.exec import ExecRequest, exec_command
from pyro_mcp.workspaces.history.logs import workspace_logs
from pyro_mcp.workspaces.lifecycle import CreateRequest, create_workspace, delete_workspace

_CONNECTIONS = int(os.environ.get("CONNECTIONS", "100000"))
_FLOOD = f"""
import asyncio

async def worker(numbers):
    for n in numbers:
        try:
            _, line = await asyncio.open_connection(f"10.{{n >> 16}}.{{n >> 8 & 255}}.{{n & 255}}", 80)
            line.close()
        except OSError:
            pass

async def main():
    numbers = iter(range({_CONNECTIONS}))
    await asyncio.gather(*(worker(numbers) for _ in range(100)))

asyncio.run(main())
"""
# A keeper that has seen nothing yet has 20 MiB.
_MOST_MIB = 80


@outliving
@pytest.mark.timeout(3600)
def test_a_hundred_thousand_connections(environment: Environment) -> None:
    sessions = Engine().sessions
    made = create_workspace(sessions, CreateRequest(network=NetworkSettings(policy="egress")))
    try:
        request = ExecRequest(command=("python3", "-c", _FLOOD), timeout_seconds=3000)
        result = exec_command(sessions, made.workspace_id, request)
        assert result.exit_code == 0, result.stderr
        told = workspace_logs(sessions, made.workspace_id, limit=100_000, since=None, kind="network")
        assert told.faults == ()
        assert sum(int(str(event.data["count"])) for event in told.events) == _CONNECTIONS
        assert len(told.events) < 5_000
        assert _peak_mib(made.workspace_id) < _MOST_MIB
        began = time.monotonic()
        assert exec_command(sessions, made.workspace_id, ExecRequest(command="echo well")).stdout == "well\n"
        assert time.monotonic() - began < 10
    finally:
        delete_workspace(sessions, made.workspace_id)
        sessions.registry.close()


def _peak_mib(workspace_id: str) -> int:
    """The most memory that the workspace's keeper ever had."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if workspace_id.encode() in command and any(word.endswith(b"keeper/__main__.py") for word in command):
            found = re.search(r"VmHWM:\s+(\d+)", (process / "status").read_text())
            assert found is not None
            return int(found[1]) // 1024
    raise AssertionError("there is no keeper")
