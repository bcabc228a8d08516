"""Try a configured server as its chat host would: start it, list its tools, run one command in a machine."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import anyio
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult, TextContent

from pyro_mcp.chat_hosts.starting import Start
from pyro_mcp.errors import GuestFailed, HostUnfit
from pyro_mcp.progress import step

# Claude Code waits 30 s for a server to start, Codex 10 s; a server that needs more would fail there.
_START_SECONDS = 10
_COMMAND = {"environment": "debian:12", "command": ["uname", "-sr"]}


@dataclass(frozen=True)
class Checked:
    """What a server did when it was tried."""

    host: str
    config: Path
    command: tuple[str, ...]
    server: str
    tools: tuple[str, ...]
    start_ms: int
    # What `vm_run` printed, how long it took, and how its machine was walled off.
    answer: str
    run_ms: int
    isolation: str
    confinement: str


_TROUBLES = (MCPError, TimeoutError, OSError, anyio.ClosedResourceError, anyio.BrokenResourceError)


def check(host: str, start: Start) -> Checked:
    """Start the server and use it. Raises HostUnfit with what it said when it does not work."""
    with TemporaryFile("w+", errors="replace") as said:
        try:
            return anyio.run(_try, host, start, said)
        except _TROUBLES as error:
            raise _trouble(start, said, (error,)) from None
        except ExceptionGroup as group:
            # Not except*: Python 3.11 before 3.11.4 wraps what is raised there into a group again.
            _, others = group.split(_TROUBLES)
            if others is not None:
                raise
            raise _trouble(start, said, group.exceptions) from None


async def _try(host: str, start: Start, said: IO[str]) -> Checked:
    server = StdioServerParameters(
        command=start.words[0], args=list(start.words[1:]), env=dict(start.variables), cwd=start.directory
    )
    began = time.monotonic()
    client = Client(stdio_client(server, errlog=said), mode="legacy")  # type: ignore[arg-type]  # a text file is enough
    with anyio.fail_after(_START_SECONDS) as starting:
        async with client:
            tools = tuple(tool.name for tool in (await client.list_tools()).tools)
            starting.deadline = float("inf")
            started = time.monotonic()
            with step("running a command in a machine, which may have to be built first"):
                answer = await client.call_tool("vm_run", _COMMAND)
            ended = time.monotonic()
            about = client.server_info
    facts = _facts(answer)
    return Checked(
        host,
        start.config,
        start.words,
        f"{about.name} {about.version}" if about else "unnamed",
        tools,
        round((started - began) * 1000),
        str(facts.get("stdout", "")).strip(),
        round((ended - started) * 1000),
        str(facts.get("isolation")),
        str(facts.get("confinement")),
    )


def _facts(answer: CallToolResult) -> dict[str, object]:
    if answer.is_error:
        text = "\n".join(part.text for part in answer.content if isinstance(part, TextContent))
        raise GuestFailed(
            "the server works, but no machine runs behind it", details=text, hint="pyro doctor tells why."
        )
    return dict(answer.structured_content or {})


def _trouble(start: Start, said: IO[str], errors: Sequence[BaseException]) -> HostUnfit:
    said.seek(0)
    last = said.read()[-2000:].strip()
    first = errors[0]
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    late = isinstance(first, TimeoutError)
    why = f"it did not answer within {_START_SECONDS} s" if late else str(first) or type(first).__name__
    return HostUnfit(
        "the server does not work: what was started does not speak MCP",
        details="\n".join(part for part in (" ".join(start.words), why, last) if part),
        hint="Run that command in a terminal: it says why.",
    )
