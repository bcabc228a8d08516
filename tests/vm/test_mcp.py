"""The MCP server as a chat host has it: a process, spoken to over its standard input and output by the official client."""

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

import anyio
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp_types import CallToolResult, TextContent
from tests.ladder import DEBIAN
from tests.remains import keeper_of, processes_of

from pyro_mcp.environments.values import Environment

_PROGRAM = str(Path(sys.executable).with_name("pyro"))
Scenario = Callable[[Client], Awaitable[None]]


class Play(Protocol):
    """Runs a scenario with a client."""

    def __call__(self, scenario: Scenario, profile: str = ...) -> None: ...


@pytest.fixture
def session(environment: Environment, home: Path) -> Play:
    """Runs a scenario with a client of `pyro mcp serve`."""

    def play(scenario: Scenario, profile: str = "vm-run") -> None:
        async def main() -> None:
            server = StdioServerParameters(
                command=_PROGRAM, args=["mcp", "serve", "--profile", profile], env={"PYRO_HOME": str(home)}
            )
            async with Client(stdio_client(server)) as client:
                await scenario(client)

        anyio.run(main)

    return play


def _text(answer: CallToolResult) -> str:
    assert isinstance(answer.content[0], TextContent)
    return answer.content[0].text


def test_a_run_answers_with_structure_and_text(session: Play) -> None:
    async def scenario(client: Client) -> None:
        tools = (await client.list_tools()).tools
        assert [tool.name for tool in tools] == ["vm_run"]
        assert tools[0].output_schema is not None
        command = "git --version; cat; echo err >&2; exit 3"
        answer = await client.call_tool(
            "vm_run", {"environment": DEBIAN, "command": command, "stdin": "given\n"}
        )
        assert not answer.is_error
        facts = answer.structured_content
        assert (facts["outcome"], facts["exit_code"], facts["stderr"]) == ("finished", 3, "err\n")
        assert facts["stdout"].startswith("git version 2.")
        assert facts["stdout"].endswith("\ngiven\n")
        assert facts["isolation"] in ("hardware", "emulated")
        assert facts["confinement"] in ("full", "partial", "none")
        assert _text(answer).startswith("exit_code 3 after ")
        assert "git version 2." in _text(answer)

    session(scenario)


def test_a_wrong_call_is_an_error_that_helps(session: Play) -> None:
    async def scenario(client: Client) -> None:
        answer = await client.call_tool("vm_run", {"environment": "debian:21", "command": "true"})
        assert answer.is_error
        assert _text(answer).startswith("not_found: no environment is called 'debian:21'")
        assert "debian:12" in _text(answer)

    session(scenario)


def test_long_output_is_cut_and_says_so(session: Play) -> None:
    async def scenario(client: Client) -> None:
        answer = await client.call_tool(
            "vm_run", {"environment": DEBIAN, "command": ["seq", "1000000"], "timeout_seconds": 40}
        )
        facts = answer.structured_content
        assert (facts["exit_code"], facts["stdout_truncated"]) == (0, True)
        assert facts["stdout"].startswith("1\n2\n")
        assert facts["stdout"].endswith("\n1000000\n")
        assert len(_text(answer)) < 32_000

    session(scenario)


def test_calls_run_side_by_side(session: Play) -> None:
    async def scenario(client: Client) -> None:
        said: dict[int, str] = {}

        async def call(number: int) -> None:
            answer = await client.call_tool("vm_run", {"environment": DEBIAN, "command": f"echo {number}"})
            said[number] = answer.structured_content["stdout"]

        async with anyio.create_task_group() as calls:
            for number in range(3):
                calls.start_soon(call, number)
        assert said == {number: f"{number}\n" for number in range(3)}

    session(scenario)


def test_a_slow_call_delays_none_of_twenty_others(session: Play) -> None:
    """The slow one ends only once all the others have been answered."""

    async def scenario(client: Client) -> None:
        made = await client.call_tool("workspace_create", {"environment": DEBIAN})
        ws = {"workspace": made.structured_content["name"]}

        async def slow() -> None:
            command = "while [ ! -e go ]; do sleep 0.05; done; ls | wc -l"
            answer = await client.call_tool(
                "workspace_exec", {**ws, "command": command, "yield_after_seconds": 50}
            )
            assert (answer.structured_content["outcome"], answer.structured_content["stdout"]) == (
                "finished",
                "21\n",
            )

        async def write(name: str) -> None:
            answer = await client.call_tool("workspace_file_write", {**ws, "path": name, "content": name})
            assert not answer.is_error, _text(answer)

        try:
            async with anyio.create_task_group() as all_calls:
                all_calls.start_soon(slow)
                async with anyio.create_task_group() as others:
                    for number in range(20):
                        others.start_soon(write, f"file-{number}")
                await write("go")
        finally:
            await client.call_tool("workspace_delete", ws)

    session(scenario, "workspace-core")


def test_a_cancelled_call_ends_its_machine(session: Play, home: Path) -> None:
    async def scenario(client: Client) -> None:
        async with anyio.create_task_group() as calls:
            arguments = {"environment": DEBIAN, "command": "sleep 1000"}
            calls.start_soon(client.call_tool, "vm_run", arguments)
            await _until(lambda: keeper_of(home) is not None)
            calls.cancel_scope.cancel()
        await _until(lambda: keeper_of(home) is None)
        assert [found.command[2:4] for found in processes_of(home)] == [("mcp", "serve")]

    session(scenario)


async def _until(ready: Callable[[], bool]) -> None:
    with anyio.fail_after(20):
        while not ready():
            await anyio.lowlevel.checkpoint()
