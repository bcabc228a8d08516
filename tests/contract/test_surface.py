"""The public surface is written down, and every operation stands in all its doors with the same arguments."""

import importlib.util
import inspect
from pathlib import Path
from typing import get_args

import click
import pytest

from pyro_mcp import Pyro
from pyro_mcp.cli.main import pyro
from pyro_mcp.mcp_server.server import PyroServer
from pyro_mcp.operations.catalogue import OPERATIONS, PROFILES
from pyro_mcp.operations.declare import Operation, Profile

_SURFACE = Path(__file__).parents[2] / "scripts" / "surface.py"

# contract.md's table, as far as it is built; a row joins when its operation does.
_OFFERED: dict[Profile, set[str]] = {
    "vm-run": {"vm_run"},
    "workspace-core": {"vm_run"},
    "workspace-full": {"vm_run", "vm_list_environments"},
}
_ARGUMENTS = {
    "vm_run": ["environment", "command", "env", "stdin", "vcpu_count", "mem_mib", "timeout_seconds"],
    "vm_list_environments": [],
}
# Given by other means than an argument or option: what follows `--`, and standard input.
_NOT_OPTIONS = {"vm_run": {"command", "stdin"}}

every_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)


def test_the_surface_is_the_one_written_down() -> None:
    spec = importlib.util.spec_from_file_location("surface", _SURFACE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    written = module.WRITTEN.read_text(encoding="utf-8")
    assert written == module.text(), "run `make generated`, and read the difference"


@pytest.mark.parametrize("profile", PROFILES)
def test_each_profile_offers_exactly_its_tools(profile: Profile) -> None:
    tools = PyroServer(Pyro(), profile).tools()
    assert {tool.name for tool in tools} == _OFFERED[profile]


@every_operation
def test_every_operation_is_in_the_sdk_with_its_arguments(operation: Operation) -> None:
    given = [
        name for name in inspect.signature(operation.method).parameters if name not in ("self", "on_output")
    ]
    assert given == _ARGUMENTS[operation.name]


@every_operation
@pytest.mark.parametrize("profile", PROFILES)
def test_every_operation_is_a_tool_with_its_arguments(operation: Operation, profile: Profile) -> None:
    tools = {tool.name: tool for tool in PyroServer(Pyro(), profile).tools()}
    if profile in operation.profiles:
        wanted = [item.name for item in operation.parameters_in(profile)]
        assert list(tools[operation.name].input_schema["properties"]) == wanted
        assert set(wanted) <= set(_ARGUMENTS[operation.name])


@every_operation
def test_every_operation_is_a_command_with_its_arguments(operation: Operation) -> None:
    command = _command(operation.cli)
    taken = {item.name for item in command.params if item.name}
    wanted = set(_ARGUMENTS[operation.name]) - _NOT_OPTIONS.get(operation.name, set())
    assert wanted <= taken
    spelt = {item.name: item.opts for item in command.params if isinstance(item, click.Option)}
    assert all(f"--{name.replace('_', '-')}" in spelt[name] for name in wanted if name in spelt)
    assert command.get_short_help_str(1000).startswith(operation.summary.rstrip("."))


@every_operation
def test_a_tool_says_what_it_does_and_what_it_changes(operation: Operation) -> None:
    tool = next(tool for tool in PyroServer(Pyro(), "workspace-full").tools() if tool.name == operation.name)
    assert tool.description
    assert tool.description.endswith(".")
    assert tool.annotations is not None
    assert tool.annotations.read_only_hint is (operation.effect == "reads")
    assert tool.annotations.destructive_hint is (operation.effect == "destroys")
    assert tool.output_schema is not None
    assert tool.output_schema["type"] == "object"


def test_the_profiles_of_all_doors_are_one() -> None:
    choice = next(item for item in _command(("mcp", "serve")).params if item.name == "profile").type
    assert isinstance(choice, click.Choice)
    assert tuple(choice.choices) == PROFILES == get_args(Profile)
    assert set(_OFFERED) == set(PROFILES)


def _command(path: tuple[str, ...]) -> click.Command:
    found: click.Command = pyro
    for name in path:
        assert isinstance(found, click.Group)
        inner = found.get_command(click.Context(found), name)
        assert inner is not None, f"no command pyro {' '.join(path)}"
        found = inner
    return found
