"""A server in a workspace as a model uses it: an MCP client on the profile `workspace-full`."""

import shutil
import sys
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import anyio
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp_types import TextContent

_PAGE = "http://localhost:8000/hello.txt"


async def main() -> None:
    """Start, reach, read, stop: each step prints what a model would read."""
    # The `pyro` beside this Python, wherever that is installed.
    program = shutil.which("pyro", path=str(Path(sys.executable).parent)) or "pyro"
    server = StdioServerParameters(command=program, args=["mcp", "serve", "--host-root", "."])
    async with Client(stdio_client(server)) as client:
        workspace = (await call(client, "workspace_create", network_policy="egress+published-ports"))[
            "workspace_id"
        ]
        try:
            await serve(client, workspace)
        finally:
            await call(client, "workspace_delete", workspace=workspace)


async def serve(client: Client, workspace: str) -> None:
    """The life of a service."""
    ours = {"workspace": workspace, "service": "web"}
    await call(client, "workspace_file_write", workspace=workspace, path="hello.txt", content="hello\n")
    started = await call(
        client,
        "service_start",
        **ours,
        command="exec python3 -u -m http.server 8000",
        readiness={"http": _PAGE},
        ready_timeout_seconds=60,
        published_ports=["0:8000"],
    )
    port = started["published_ports"][0]["host_port"]
    print("from here:", urlopen(f"http://127.0.0.1:{port}/hello.txt").read().decode(), end="")
    await call(client, "service_logs", **ours, tail_lines=1)
    await call(client, "service_stop", **ours)
    await call(client, "service_list", workspace=workspace)


async def call(client: Client, tool: str, **arguments: object) -> dict[str, Any]:
    """Call a tool, print its text, and give back its data."""
    answer = await client.call_tool(tool, arguments)
    text = "\n".join(part.text for part in answer.content if isinstance(part, TextContent))
    print(f"--- {tool}\n{text}")
    if answer.is_error:
        raise SystemExit(1)
    data: dict[str, Any] = answer.structured_content
    return data


if __name__ == "__main__":
    anyio.run(main)
