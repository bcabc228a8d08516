"""A terminal in a workspace as a model uses it: an MCP client on the profile `workspace-full`."""

import shutil
import sys
from pathlib import Path
from typing import Any

import anyio
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp_types import TextContent


async def main() -> None:
    """Open a shell, look around with a pager, and close it: each step prints what a model would read."""
    program = shutil.which("pyro", path=str(Path(sys.executable).parent)) or "pyro"
    server = StdioServerParameters(command=program, args=["mcp", "serve", "--profile", "workspace-full"])
    async with Client(stdio_client(server)) as client:
        workspace = (await call(client, "workspace_create"))["workspace_id"]
        try:
            await use_shell(client, workspace)
        finally:
            await call(client, "workspace_delete", workspace=workspace)


async def use_shell(client: Client, workspace: str) -> None:
    """What is typed, and what is read."""
    opened = await call(client, "shell_open", workspace=workspace, cols=80, rows=6)
    shell = {"workspace": workspace, "shell_id": opened["shell_id"]}
    await call(client, "shell_write", **shell, input="false; seq 1 100 | less")
    await call(client, "shell_read", **shell, wait_for_pattern="^5$")
    await call(client, "shell_write", **shell, keys=["end"])
    await call(client, "shell_read", **shell, wait_for_pattern="^100$")
    await call(client, "shell_write", **shell, input="q", keys=["space"])
    await call(client, "shell_read", **shell, wait_for_prompt=True)
    await call(client, "shell_write", **shell, keys=["ctrlc"], fails=True)
    await call(client, "shell_close", **shell)


async def call(client: Client, tool: str, fails: bool = False, **arguments: object) -> dict[str, Any]:
    """Call a tool, print its text, and give back its data."""
    answer = await client.call_tool(tool, arguments)
    text = "\n".join(part.text for part in answer.content if isinstance(part, TextContent))
    print(f"--- {tool}\n{text}")
    if answer.is_error is not fails:
        raise SystemExit(1)
    data: dict[str, Any] = answer.structured_content
    return data


if __name__ == "__main__":
    anyio.run(main)
