"""The MCP server over HTTP: start it, speak with it as any client on this computer can, stop it."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import anyio
import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import TextContent


def main() -> None:
    """Serve on a free port, with a token that only this process reads."""
    program = shutil.which("pyro", path=str(Path(sys.executable).parent)) or "pyro"
    with tempfile.TemporaryDirectory() as place:
        token_file = Path(place) / "token"
        options = ["--transport", "http", "--port", "0", "--token-file", str(token_file)]
        with subprocess.Popen(
            [program, "mcp", "serve", *options], stderr=subprocess.PIPE, text=True
        ) as server:
            assert server.stderr is not None
            try:
                url = server.stderr.readline().split()[-1]
                server.stderr.readline()  # where the token is: by now it is there
                anyio.run(speak, url, token_file.read_text().strip())
            finally:
                server.terminate()


async def speak(url: str, token: str) -> None:
    """Ask without the token, then with it."""
    async with httpx2.AsyncClient() as stranger:
        print("without the token:", (await stranger.post(url, json={})).status_code)
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=120) as connection,
        Client(streamable_http_client(url, http_client=connection)) as client,
    ):
        print("tools:", len((await client.list_tools()).tools))
        print("prompts:", ", ".join(prompt.name for prompt in (await client.list_prompts()).prompts))
        answer = await client.call_tool("vm_run", {"environment": "debian:12", "command": "uname -s; exit 4"})
        for part in answer.content:
            if isinstance(part, TextContent):
                print(part.text)


if __name__ == "__main__":
    main()
