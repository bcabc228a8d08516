"""A chat host for tests: the official client, over standard input and output, with an eye on every answer."""

import json
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import anyio
import jsonschema
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp_types import TextContent

from pyro_mcp import Pyro
from pyro_mcp.mcp_server.calls import ERROR

PROGRAM = str(Path(sys.executable).with_name("pyro"))


class Told:
    """A client that holds each answer against the tool's output schema, and remembers which tools it called."""

    def __init__(self, client: Client, schemas: Mapping[str, Any]) -> None:
        self.client = client
        self.schemas = schemas
        self.called: set[str] = set()

    async def use(self, tool: str, **arguments: object) -> tuple[dict[str, Any], str]:
        """The structured content and the text of an answer that is no error."""
        answer = await self.client.call_tool(tool, arguments)
        self.called.add(tool)
        assert isinstance(answer.content[0], TextContent)
        text = answer.content[0].text
        assert not answer.is_error, text
        assert 0 < len(text) < 32_000
        jsonschema.validate(answer.structured_content, self.schemas[tool])
        print(f"\n=== {tool} {json.dumps(arguments)[:200]}\n{text}")
        return dict(answer.structured_content), text

    async def refused(self, tool: str, **arguments: object) -> tuple[str, str]:
        """The code and the text of an answer that is one."""
        answer = await self.client.call_tool(tool, arguments)
        assert answer.is_error
        assert isinstance(answer.content[0], TextContent)
        print(f"\n=== {tool} {json.dumps(arguments)[:200]}\n{answer.content[0].text}")
        return (answer.meta or {})[ERROR]["code"], answer.content[0].text


def play(home: Path, options: Sequence[str], scenario: Callable[[Told], Awaitable[None]]) -> None:
    """Have `pyro mcp serve` started with these options, and carry a scenario out with it."""
    server = StdioServerParameters(
        command=PROGRAM, args=["mcp", "serve", *options], env={"PYRO_HOME": str(home)}
    )

    async def main() -> None:
        async with Client(stdio_client(server)) as client:
            tools = (await client.list_tools()).tools
            await scenario(Told(client, {tool.name: tool.output_schema for tool in tools}))

    anyio.run(main)


@pytest.fixture
def tidied(home: Path) -> Iterator[None]:
    """A test that fails half-way leaves its workspace to nobody."""
    yield
    workspaces = Pyro().workspace
    for item in workspaces.list():
        workspaces.delete(item.workspace_id)
