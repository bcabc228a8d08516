"""What a model has to read, and what a first line costs: tested, for both only ever grow."""

import json
import resource
import subprocess
import sys

import pytest

from pyro_mcp import Pyro
from pyro_mcp.mcp_server.server import PyroServer
from pyro_mcp.operations.declare import Profile


@pytest.mark.parametrize(
    ("profile", "most"), [("vm-run", 1_400), ("workspace-core", 16_000), ("workspace-full", 34_000)]
)
def test_the_tool_list_without_output_schemas_stays_within_its_budget(profile: Profile, most: int) -> None:
    tools = [
        tool.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"output_schema"})
        for tool in PyroServer(Pyro(), profile).tools()
    ]
    assert len(json.dumps({"tools": tools}, separators=(",", ":"))) <= most


def test_help_takes_150_ms_of_a_processor() -> None:
    """Its own time, the best of five: how long it takes by the clock depends on what else the host does."""
    assert min(_processor_seconds("--help") for _ in range(5)) <= 0.15


def _processor_seconds(*arguments: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "pyro_mcp", *arguments], capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
