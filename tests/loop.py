"""A client that uses only the tools of one profile, counts what it costs a model, and writes it down."""

import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp_types import TextContent

_PROGRAM = str(Path(sys.executable).with_name("pyro"))
# What a model may need for a whole repair.
MOST_CALLS = 14


@dataclass(frozen=True)
class Answer:
    """What a call gave: the text for the model, and the data."""

    text: str
    data: dict[str, Any]


@dataclass(frozen=True)
class Counted:
    """One call: characters of its arguments, and of its answer's text."""

    tool: str
    given: int
    got: int


@dataclass
class Counting:
    """Calls tools and counts."""

    client: Client
    calls: list[Counted] = field(default_factory=list)
    # What is there, to be cleaned up.
    workspaces: set[str] = field(default_factory=set)

    async def __call__(self, tool: str, **arguments: object) -> Answer:
        """Call a tool, which must succeed."""
        command = arguments.get("command", "")
        assert ">" not in str(command), f"a file is to be written by a tool, not by a shell: {command}"
        result = await self.client.call_tool(tool, arguments)
        text = "\n".join(part.text for part in result.content if isinstance(part, TextContent))
        assert not result.is_error, f"{tool} {arguments}: {text}"
        self.calls.append(Counted(tool, len(json.dumps(arguments)), len(text)))
        data = dict(result.structured_content or {})
        if tool == "workspace_create":
            self.workspaces.add(str(data["workspace_id"]))
        return Answer(text, data)

    async def execute(self, workspace: str, command: list[str]) -> Answer:
        """Run a command to its end, waiting where it takes longer than one call may."""
        answer = await self("workspace_exec", workspace=workspace, command=command)
        while answer.data["outcome"] == "running":
            exec_id = answer.data["exec_id"]
            answer = await self("workspace_exec_wait", workspace=workspace, exec_id=exec_id)
        return answer

    async def clean_up(self) -> None:
        """Delete what a failed scenario left."""
        for workspace in self.workspaces:
            await self.client.call_tool("workspace_delete", {"workspace": workspace})

    def told(self) -> str:
        """The calls as a table, with sums."""
        total = Counted(
            f"{len(self.calls)} calls", sum(call.given for call in self.calls), sum(c.got for c in self.calls)
        )
        rows = [f"{call.tool:<24} {call.given:>6} {call.got:>7}" for call in (*self.calls, total)]
        return "\n".join([f"{'tool':<24} {'given':>6} {'answer':>7}  (characters)", *rows])


def play(
    scenario: Callable[[Counting], Awaitable[None]],
    *,
    host_root: Path,
    variables: Mapping[str, str],
    profile: str = "workspace-core",
) -> Counting:
    """Run a scenario against `pyro mcp serve`; print what it cost."""
    options = ["--profile", profile, "--host-root", str(host_root)]
    server = StdioServerParameters(
        command=_PROGRAM, args=["mcp", "serve", *options], env=dict(variables), cwd=host_root
    )

    async def main() -> Counting:
        async with Client(stdio_client(server)) as client:
            counting = Counting(client)
            try:
                await scenario(counting)
            finally:
                await counting.clean_up()
            return counting

    counted = anyio.run(main)
    print(f"\n{counted.told()}")
    return counted
