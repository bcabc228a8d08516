"""A network for a machine, as a model asks for it: an MCP client on the profile `workspace-full`."""

import shutil
import sys
from pathlib import Path
from typing import Any

import anyio
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp_types import TextContent


async def main() -> None:
    """Run one command that may reach one host, and one that may reach none."""
    # The `pyro` beside this Python, wherever that is installed.
    program = shutil.which("pyro", path=str(Path(sys.executable).parent)) or "pyro"
    server = StdioServerParameters(command=program, args=["mcp", "serve", "--profile", "workspace-full"])
    fetch = "curl -sS -o /dev/null -w '%{http_code}' https://registry.npmjs.org/left-pad"
    async with Client(stdio_client(server)) as client:
        await call(client, environment="debian:12", command=fetch)
        allowed: dict[str, Any] = {"network_policy": "egress", "allow_hosts": ["registry.npmjs.org:443"]}
        await call(client, environment="debian:12", command=fetch, **allowed)


async def call(client: Client, **arguments: object) -> None:
    """Run a command in a throwaway machine, and print what a model would read."""
    answer = await client.call_tool("vm_run", arguments)
    print("\n".join(part.text for part in answer.content if isinstance(part, TextContent)))


if __name__ == "__main__":
    anyio.run(main)
