"""What each profile says over the wire, all of it: a narrower one must not so much as mention what it keeps out.

A field of an answer that belongs to `workspace-full` alone is declared `field(default=…, metadata=ONLY_FULL)`, an argument by
`only_in={"name": FULL}` (models/narrowing.py, operations/declare.py); a description speaks of neither.
"""

import json
import re
from collections.abc import Iterator

import anyio
import jsonschema
import pytest
from mcp import Client
from tests.doors import MemoryEngine

from pyro_mcp import Pyro
from pyro_mcp import create_server as create_package_server
from pyro_mcp.mcp_server.calls import ERROR
from pyro_mcp.mcp_server.server import PyroServer
from pyro_mcp.operations.catalogue import PROFILES, operations_in
from pyro_mcp.operations.declare import Profile

KEPT_OUT = re.compile(
    r"secret|network|egress|allow_host|shell|service|snapshot|\bports?\b|publish|disk(?!_mib)", re.IGNORECASE
)
# Of a sentence about what a shell is for, or what runs commands: `sh -c` is no shell_open. That there is no network is no policy.
_NOT_MEANT = re.compile(r"through the shell|`?sh -c`?|\bno[ _]network\b")


def _said(profile: Profile) -> dict[str, object]:
    """Everything a client can read before it calls anything, as JSON of the wire."""
    said: dict[str, object] = {}

    async def main() -> None:
        async with Client(PyroServer(Pyro(engine=MemoryEngine()), profile).mcp) as client:
            tools = await client.list_tools()
            said["tools"] = tools.model_dump(mode="json", by_alias=True, exclude_none=True)
            said["instructions"] = client.instructions
            if profile != "vm-run":
                prompts = await client.list_prompts()
                said["prompts"] = prompts.model_dump(mode="json", by_alias=True, exclude_none=True)
                for prompt in prompts.prompts:
                    given = {argument.name: "given" for argument in prompt.arguments or []}
                    text = await client.get_prompt(prompt.name, given)
                    said[f"prompt {prompt.name}"] = text.model_dump(mode="json", by_alias=True)
                templates = await client.list_resource_templates()
                said["templates"] = templates.model_dump(mode="json", by_alias=True, exclude_none=True)

    anyio.run(main)
    return said


def _texts(value: object, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield f"{path}.{key}", key
            yield from _texts(item, f"{path}.{key}")
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, path)
    elif isinstance(value, str):
        yield path, value


@pytest.mark.parametrize("profile", ["vm-run", "workspace-core"])
def test_a_narrow_profile_mentions_nothing_of_what_it_keeps_out(profile: Profile) -> None:
    leaks = [
        f"{path}: {text[:100]}"
        for path, text in _texts(_said(profile), "")
        if KEPT_OUT.search(_NOT_MEANT.sub("", text))
    ]
    assert leaks == []


def test_the_search_would_find_it() -> None:
    assert [path for path, text in _texts(_said("workspace-full"), "") if KEPT_OUT.search(text)]


@pytest.mark.parametrize("profile", PROFILES)
def test_all_entries_read_the_one_mapping(profile: Profile) -> None:
    meant = [operation.name for operation in operations_in(profile)]
    for server in (
        PyroServer(Pyro(), profile),
        Pyro().create_server(profile),
        create_package_server(profile),
    ):
        assert [tool.name for tool in server.tools()] == meant


def test_the_widest_profile_is_the_default() -> None:
    everything = [operation.name for operation in operations_in("workspace-full")]
    assert [tool.name for tool in Pyro().create_server().tools()] == everything
    assert [tool.name for tool in create_package_server().tools()] == everything


@pytest.mark.parametrize("profile", PROFILES)
def test_every_schema_is_valid_closed_and_of_one_object(profile: Profile) -> None:
    for tool in PyroServer(Pyro(), profile).tools():
        for schema in (tool.input_schema, tool.output_schema):
            assert schema is not None
            jsonschema.Draft202012Validator.check_schema(schema)
            assert schema["type"] == "object"
            assert len(json.dumps(schema)) < 10_000
        assert tool.input_schema["additionalProperties"] is False
        assert set(tool.input_schema.get("required", ())) <= set(tool.input_schema["properties"])


@pytest.mark.parametrize("profile", PROFILES)
def test_an_unknown_argument_of_any_tool_is_refused_with_the_near_name(profile: Profile) -> None:
    async def main() -> None:
        async with Client(PyroServer(Pyro(engine=MemoryEngine()), profile).mcp) as client:
            for tool in (await client.list_tools()).tools:
                known = next(iter(tool.input_schema["properties"]), None)
                answer = await client.call_tool(tool.name, {f"{known}x": "v"})
                assert answer.is_error
                facts = (answer.meta or {})[ERROR]
                assert facts["code"] == "invalid_request"
                assert facts["hint"] == (f"Did you mean {known}?" if known else "It takes: nothing.")

    anyio.run(main)
