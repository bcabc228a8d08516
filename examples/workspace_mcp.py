"""A workspace as a model uses it: an MCP client on the profile `workspace-core`, and nothing else."""

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
    """Create, write, run, look, take out, roll back, delete: each step prints what a model would read."""
    # The `pyro` beside this Python, wherever that is installed.
    program = shutil.which("pyro", path=str(Path(sys.executable).parent)) or "pyro"
    with tempfile.TemporaryDirectory() as out:
        # Paths of this computer are refused unless they lie below a --host-root.
        options = ["--profile", "workspace-core", "--host-root", out]
        server = StdioServerParameters(command=program, args=["mcp", "serve", *options])
        async with Client(stdio_client(server)) as client:
            await work(client, Path(out))


async def work(client: Client, out: Path) -> None:
    """The round of a repair."""
    created = await call(client, "workspace_create", environment="debian:12")
    workspace = created["workspace_id"]
    try:
        await call(
            client, "workspace_file_write", workspace=workspace, path="hello.py", content="print(6 * 7)\n"
        )
        await call(client, "workspace_exec", workspace=workspace, command="python3 hello.py; exit 3")
        await call(client, "workspace_diff", workspace=workspace)
        await call(
            client,
            "workspace_export",
            workspace=workspace,
            path="hello.py",
            output_path=str(out / "hello.py"),
        )
        print("on this computer:", (out / "hello.py").read_text(), end="")
        await call(client, "workspace_reset", workspace=workspace)
        left = await call(client, "workspace_file_list", workspace=workspace)
        print("files after reset:", left["entries"])
    finally:
        await call(client, "workspace_delete", workspace=workspace)


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
