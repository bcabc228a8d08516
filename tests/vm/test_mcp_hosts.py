"""Chat hosts as they come: killed, impatient, generous, and far away."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import anyio
import anyio.to_thread
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from tests.chat_host import PROGRAM, Told, play, tidied
from tests.ladder import DEBIAN
from tests.remains import Process, keeper_of, processes_of

from pyro_mcp import Pyro
from pyro_mcp.environments.values import Environment
from pyro_mcp.host.waiting import wait_until
from pyro_mcp.mcp_server.calls import ERROR

__all__ = ["tidied"]
pytestmark = pytest.mark.usefixtures("tidied")

# A chat host of a few lines, to be killed.
_DOOMED = """
import sys
import anyio
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

async def main():
    program, home, environment = sys.argv[1:]
    arguments = ["mcp", "serve", "--profile", "workspace-core"]
    server = StdioServerParameters(command=program, args=arguments, env={"PYRO_HOME": home})
    async with Client(stdio_client(server)) as client:
        await client.call_tool("workspace_create", {"environment": environment, "name": "lasting"})
        print("calling", flush=True)
        command = "echo begun; until [ -e /tmp/go ]; do sleep 0.1; done; echo done; exit 7"
        await client.call_tool("workspace_exec", {"workspace": "lasting", "command": command})

anyio.run(main)
"""


def test_a_command_outlives_a_host_that_is_killed(environment: Environment, home: Path) -> None:
    host = subprocess.Popen(
        [sys.executable, "-c", _DOOMED, PROGRAM, str(home), DEBIAN], stdout=subprocess.PIPE, text=True
    )
    with host:
        assert host.stdout is not None
        assert host.stdout.readline() == "calling\n"
        wait_until(lambda: Pyro().workspace.status("lasting").running, what="the command to run", timeout=30)
        host.kill()
    wait_until(lambda: not _servers(home), what="the server to end", timeout=30)
    assert keeper_of(home) is not None

    async def scenario(session: Told) -> None:
        facts, _ = await session.use("workspace_list")
        assert [item["name"] for item in facts["workspaces"]] == ["lasting"]
        facts, _ = await session.use("workspace_status", workspace="lasting")
        (exec_id,) = facts["running"]
        await session.use("workspace_file_write", workspace="lasting", path="/tmp/go", content="")
        facts, _ = await session.use("workspace_exec_wait", workspace="lasting", exec_id=exec_id)
        assert (facts["outcome"], facts["exit_code"], facts["stdout"]) == ("finished", 7, "begun\ndone\n")
        await session.use("workspace_delete", workspace="lasting")

    play(home, ["--profile", "workspace-core"], scenario)


def test_a_cancelled_call_stops_its_command_and_a_cancelled_wait_does_not(
    environment: Environment, home: Path
) -> None:
    async def scenario(session: Told) -> None:
        await session.use("workspace_create", environment=DEBIAN, name="busy")
        workspace = Pyro().workspace

        async def cancelled(tool: str, **arguments: object) -> None:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(session.client.call_tool, tool, {"workspace": "busy", **arguments})
                await _until(lambda: bool(workspace.status("busy").running))
                tasks.cancel_scope.cancel()

        await cancelled("workspace_exec", command="sleep 1001")
        await _until(lambda: not workspace.status("busy").running)
        facts, _ = await session.use(
            "workspace_exec", workspace="busy", command="pgrep -f [1]001 || echo none"
        )
        assert facts["stdout"] == "none\n"
        facts, _ = await session.use(
            "workspace_exec", workspace="busy", command="sleep 1002", yield_after_seconds=0.1
        )
        await cancelled("workspace_exec_wait", exec_id=facts["exec_id"], wait_seconds=600)
        again, _ = await session.use(
            "workspace_exec_wait", workspace="busy", exec_id=facts["exec_id"], wait_seconds=0
        )
        assert again["outcome"] == "running"
        await session.use("workspace_delete", workspace="busy")

    play(home, ["--profile", "workspace-core"], scenario)


def test_fifty_megabytes_in_one_argument_arrive(environment: Environment, home: Path) -> None:
    async def scenario(session: Told) -> None:
        await session.use("workspace_create", environment=DEBIAN, name="large")
        content = "0123456789abcde\n" * (50 * 65536)
        answer = await session.client.call_tool(
            "workspace_file_write", {"workspace": "large", "path": "large.txt", "content": content}
        )
        assert not answer.is_error
        assert answer.structured_content["size"] == 50 << 20
        facts, _ = await session.use("workspace_file_read", workspace="large", path="large.txt")
        assert facts["truncated"]
        code, _ = await session.refused("workspace_exec", workspace="large", command="x" * (50 << 20))
        assert code == "invalid_request"
        await session.use("workspace_delete", workspace="large")

    play(home, ["--profile", "workspace-core"], scenario)


def test_a_session_over_http_runs_a_machine(environment: Environment, home: Path, tmp_path: Path) -> None:
    token = tmp_path / "token"
    arguments = ["mcp", "serve", "--transport", "http", "--port", "0", "--token-file", str(token)]
    with subprocess.Popen([PROGRAM, *arguments], stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        url = server.stderr.readline().split()[-1]
        assert server.stderr.readline() == f"pyro: the token is in {token}\n"

        async def main() -> None:
            headers = {"Authorization": f"Bearer {token.read_text().strip()}"}
            async with (
                httpx2.AsyncClient(headers=headers, timeout=60) as connection,
                Client(streamable_http_client(url, http_client=connection)) as client,
            ):
                answer = await client.call_tool("vm_run", {"environment": DEBIAN, "command": "echo here"})
                assert answer.structured_content["stdout"] == "here\n"
                answer = await client.call_tool("workspace_create", {"environment": DEBIAN, "seed_path": "."})
                assert (answer.meta or {})[ERROR]["code"] == "policy_denied"

        try:
            anyio.run(main)
        finally:
            server.terminate()


def _servers(home: Path) -> list[Process]:
    return [found for found in processes_of(home) if found.command[2:4] == ("mcp", "serve")]


async def _until(ready: Callable[[], object]) -> None:
    await anyio.to_thread.run_sync(lambda: wait_until(ready, what="the machine", timeout=20))
