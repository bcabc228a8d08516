"""The MCP server, as a chat host uses it: start it, list its tools, call one."""

import shutil
import sys
from pathlib import Path

import anyio
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp_types import TextContent


async def main() -> None:
    """Run one command through the tool `vm_run`, and show what a model would see."""
    # The `pyro` beside this Python, wherever that is installed.
    program = shutil.which("pyro", path=str(Path(sys.executable).parent)) or "pyro"
    server = StdioServerParameters(command=program, args=["mcp", "serve", "--profile", "vm-run"])
    async with Client(stdio_client(server)) as client:
        tools = await client.list_tools()
        print("tools:", ", ".join(tool.name for tool in tools.tools))
        answer = await client.call_tool(
            "vm_run", {"environment": "debian:12", "command": "git --version; uname -s; exit 4"}
        )
        for part in answer.content:
            if isinstance(part, TextContent):
                print(part.text)
        print("structured exit_code:", answer.structured_content["exit_code"])


if __name__ == "__main__":
    anyio.run(main)
