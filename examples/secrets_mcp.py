"""Secrets as a model uses them: it names the file, and never reads the value."""

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import anyio
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp_types import TextContent


async def main() -> None:
    """Serve the profile `workspace-full` with a directory that has the secret in it."""
    program = shutil.which("pyro", path=str(Path(sys.executable).parent)) or "pyro"
    with tempfile.TemporaryDirectory() as directory:
        token = Path(directory, "token")
        token.write_text("tok-3f9a77c2e1\n")
        server = StdioServerParameters(command=program, args=["mcp", "serve", "--host-root", directory])
        async with Client(stdio_client(server)) as client:
            created = await call(client, "workspace_create", secret_files={"TOKEN": str(token)})
            workspace = created["workspace_id"]
            try:
                leak = {"command": "echo the token is $T", "secret_env": {"TOKEN": "T"}}
                await call(client, "workspace_exec", workspace=workspace, **leak)
                await call(
                    client, "workspace_exec", workspace=workspace, command="cp /run/pyro-secrets/TOKEN ."
                )
                await call(client, "workspace_diff", workspace=workspace)
            finally:
                await call(client, "workspace_delete", workspace=workspace)


async def call(client: Client, tool: str, **arguments: object) -> dict[str, Any]:
    """Call a tool, print its text, and give back its data."""
    answer = await client.call_tool(tool, arguments)
    text = "\n".join(part.text for part in answer.content if isinstance(part, TextContent))
    print(f"--- {tool}\n{text}")
    data: dict[str, Any] = answer.structured_content
    return data


if __name__ == "__main__":
    anyio.run(main)
