"""OpenAI's Responses API with the MCP profile `workspace-core`: a model that repairs the project in this directory.

pip install pyro-mcp openai; cd project; OPENAI_API_KEY=... python openai_workspace_core.py "A test fails. Mend it."

It works in a copy, in a machine; what it hands over is the patch that it exports. No command runs on this computer.
"""

import json
import os
import shutil
import sys
from pathlib import Path

import anyio
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp_types import TextContent
from openai import AsyncOpenAI
from openai.types.responses import FunctionToolParam, ResponseFunctionToolCall, ResponseInputParam

MODEL = os.environ.get("OPENAI_MODEL", "gpt-5")
TASK = "A test of this project fails. Find out why, mend it, and show that it passes."
GUIDE = (
    "Work in one workspace seeded from the host directory '.'. Edit with the file tools, not through the shell. "
    "When the tests pass, export the patch to fix.patch, delete the workspace, and say in two sentences what was wrong."
)
TURNS = 40


async def main(task: str) -> None:
    """Give the model the tools of a pyro server, and do what it asks for until it has an answer."""
    # The `pyro` beside this Python, wherever that is installed.
    program = shutil.which("pyro", path=str(Path(sys.executable).parent)) or "pyro"
    # The model may name paths of this computer below this directory, and no others.
    arguments = ["mcp", "serve", "--profile", "workspace-core", "--host-root", "."]
    server = StdioServerParameters(command=program, args=arguments, env=dict(os.environ))
    async with Client(stdio_client(server)) as tools:
        await converse(AsyncOpenAI(), tools, task)


async def converse(model: AsyncOpenAI, tools: Client, task: str) -> None:
    """The loop: what the model calls is called, and what came of it is told."""
    offered = await functions(tools)
    said: ResponseInputParam = [{"role": "user", "content": task}]
    for _ in range(TURNS):
        response = await model.responses.create(model=MODEL, instructions=GUIDE, input=said, tools=offered)
        said += [item.to_dict() for item in response.output]  # type: ignore[misc]
        calls = [item for item in response.output if item.type == "function_call"]
        if not calls:
            print(response.output_text)
            return
        for call in calls:
            output = await answer(tools, call)
            print(f"--- {call.name} {call.arguments}\n{output}")
            said.append({"type": "function_call_output", "call_id": call.call_id, "output": output})
    sys.exit(f"no answer after {TURNS} turns")


async def functions(tools: Client) -> list[FunctionToolParam]:
    """MCP's tools as OpenAI's functions: the same names, descriptions and schemas."""
    return [
        FunctionToolParam(
            type="function",
            name=tool.name,
            description=tool.description,
            parameters=tool.input_schema,
            strict=False,
        )
        for tool in (await tools.list_tools()).tools
    ]


async def answer(tools: Client, call: ResponseFunctionToolCall) -> str:
    """Call a tool and give its text, which pyro writes for a model: short, and in an error with the next step."""
    result = await tools.call_tool(call.name, json.loads(call.arguments))
    return "\n".join(part.text for part in result.content if isinstance(part, TextContent))


if __name__ == "__main__":
    anyio.run(main, sys.argv[1] if len(sys.argv) > 1 else TASK)
