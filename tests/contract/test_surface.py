"""The public surface is written down, and every operation stands in all its doors with the same arguments."""

import importlib.util
import inspect
import re
from pathlib import Path
from typing import get_args, get_type_hints

import anyio
import click
import pytest
from mcp import Client

from pyro_mcp import Pyro
from pyro_mcp.cli.main import pyro
from pyro_mcp.mcp_server.server import PyroServer
from pyro_mcp.operations.catalogue import PROFILES, all_operations
from pyro_mcp.operations.declare import Operation, Profile
from pyro_mcp.operations.handle import Workspace, bound

_SURFACE = Path(__file__).parents[2] / "scripts" / "surface.py"

# contract.md's table, as far as it is built; a row joins when its operation does.
_RUN = {"vm_run"}
_CORE = {
    "workspace_create",
    "workspace_list",
    "workspace_status",
    "workspace_update",
    "workspace_exec",
    "workspace_exec_wait",
    "workspace_output_read",
    "workspace_sync_push",
    "workspace_file_list",
    "workspace_file_read",
    "workspace_file_write",
    "workspace_file_edit",
    "workspace_file_search",
    "workspace_file_remove",
    "workspace_patch_apply",
    "workspace_diff",
    "workspace_summary",
    "workspace_compare",
    "workspace_export",
    "workspace_logs",
    "workspace_reset",
    "workspace_delete",
}
_ONLY_FULL = {
    *("vm_list_environments", "workspace_start", "workspace_stop", "workspace_fork"),
    *("snapshot_create", "snapshot_list", "snapshot_delete"),
    *("service_start", "service_list", "service_status", "service_logs", "service_stop"),
    *("shell_open", "shell_write", "shell_read", "shell_signal", "shell_resize", "shell_close", "shell_list"),
    *("workspace_disk_list", "workspace_disk_read", "workspace_disk_export"),
}
_OFFERED: dict[Profile, set[str]] = {
    "vm-run": _RUN,
    "workspace-core": _RUN | _CORE,
    "workspace-full": _RUN | _CORE | _ONLY_FULL,
}
_ARGUMENTS = {
    "vm_run": "environment command env stdin vcpu_count mem_mib timeout_seconds seed_path"
    " network_policy allow_hosts no_host_ca",
    "vm_list_environments": "",
    "workspace_create": "environment seed_path name labels vcpu_count mem_mib disk_mib idle_stop_seconds ttl_seconds "
    "include_ignored include_sensitive network_policy allow_hosts no_host_ca secrets secret_files",
    "workspace_list": "labels state environment limit",
    "workspace_status": "workspace",
    "workspace_update": "workspace name clear_name labels clear_labels idle_stop_seconds ttl_seconds",
    "workspace_exec": "workspace command cwd env stdin timeout_seconds yield_after_seconds max_output_chars secret_env",
    "workspace_exec_wait": "workspace exec_id wait_seconds action",
    "workspace_output_read": "workspace output_id stream offset limit tail_lines grep",
    "workspace_sync_push": "workspace source_path dest delete overwrite",
    "workspace_file_list": "workspace path depth glob",
    "workspace_file_read": "workspace path start_line end_line max_chars encoding",
    "workspace_file_write": "workspace path content encoding if_match executable",
    "workspace_file_edit": "workspace path edits if_match",
    "workspace_file_search": "workspace pattern path glob context_lines limit",
    "workspace_file_remove": "workspace path to recursive",
    "workspace_patch_apply": "workspace patch dry_run strip",
    "workspace_diff": "workspace paths format include_ignored from_snapshot to_snapshot",
    "workspace_summary": "workspace",
    "workspace_compare": "workspaces",
    "workspace_export": "workspace path output_path format branch_name repository_path overwrite allow_paths",
    "workspace_logs": "workspace limit since kind",
    "workspace_reset": "workspace snapshot",
    "workspace_delete": "workspace",
    "workspace_start": "workspace",
    "workspace_stop": "workspace",
    "workspace_fork": "workspace count names from_snapshot with_secrets",
    "service_start": "workspace service command cwd env secret_env readiness ready_timeout_seconds ready_interval_ms "
    "published_ports",
    "service_list": "workspace",
    "service_status": "workspace service",
    "service_logs": "workspace service tail_lines cursor grep",
    "service_stop": "workspace service",
    "workspace_disk_list": "workspace path depth",
    "workspace_disk_read": "workspace path max_bytes",
    "workspace_disk_export": "workspace output_path format",
    "snapshot_create": "workspace snapshot",
    "snapshot_list": "workspace",
    "snapshot_delete": "workspace snapshot",
    "shell_open": "workspace cwd cols rows env secret_env",
    "shell_write": "workspace shell_id input append_newline keys wait_for_idle_ms wait_for_pattern wait_for_prompt "
    "timeout_seconds",
    "shell_read": "workspace shell_id cursor max_chars view wait_for_idle_ms wait_for_pattern wait_for_prompt timeout_seconds",
    "shell_signal": "workspace shell_id signal",
    "shell_resize": "workspace shell_id cols rows",
    "shell_close": "workspace shell_id",
    "shell_list": "workspace",
}
_NETWORK = {"network_policy", "allow_hosts", "no_host_ca"}
_WITHHELD_IN_CORE = {
    "workspace_reset": {"snapshot"},
    "vm_run": _NETWORK,
    "workspace_create": _NETWORK | {"secrets", "secret_files"},
    "workspace_exec": {"secret_env"},
    "workspace_diff": {"from_snapshot", "to_snapshot"},
}
# Given by other means than an argument or option: what follows `--`, and standard input.
_NOT_OPTIONS = {
    "vm_run": {"command", "stdin"},
    "workspace_exec": {"command", "stdin"},
    "workspace_file_write": {"content"},
    "service_start": {"command", "readiness"},
}
_SPELT = {
    "labels": "--label",
    "clear_labels": "--clear-label",
    "names": "--name",
    "edits": "--edit",
    "secrets": "--secret",
    "secret_files": "--secret-file",
    "keys": "--key",
    "paths": "--path",
    "allow_paths": "--allow-path",
    "allow_hosts": "--allow-host",
    "from_snapshot": "--from",
    "to_snapshot": "--to",
    "output_path": "--output",
    "published_ports": "--publish",
}
_POSITIONAL = {
    "workspace",
    "workspaces",
    "path",
    "source_path",
    "exec_id",
    "output_id",
    "snapshot",
    "service",
    "shell_id",
}
# What the narrower profile must not speak of; the room for files is `disk_mib` there too, by the contract.
_UNSAID_IN_CORE = re.compile(
    r"snapshot|secret|network.polic|allow.host|shell|service|disk(?!_mib)|fork", re.IGNORECASE
)

every_operation = pytest.mark.parametrize("operation", all_operations(), ids=lambda operation: operation.name)


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
    assert given == _ARGUMENTS[operation.name].split()


@every_operation
@pytest.mark.parametrize("profile", PROFILES)
def test_every_operation_is_a_tool_with_its_arguments(operation: Operation, profile: Profile) -> None:
    tools = {tool.name: tool for tool in PyroServer(Pyro(), profile).tools()}
    if profile in operation.profiles:
        withheld = _WITHHELD_IN_CORE.get(operation.name, set()) if profile != "workspace-full" else set()
        withheld = withheld | ({"seed_path"} if profile == "vm-run" else set())
        wanted = [name for name in _ARGUMENTS[operation.name].split() if name not in withheld]
        assert list(tools[operation.name].input_schema["properties"]) == wanted


@every_operation
def test_every_operation_is_a_command_with_its_arguments(operation: Operation) -> None:
    command = _command(operation.cli)
    taken = {item.name for item in command.params if item.name}
    wanted = set(_ARGUMENTS[operation.name].split()) - _NOT_OPTIONS.get(operation.name, set())
    assert wanted <= taken
    spelt = {item.name: item.opts for item in command.params if isinstance(item, click.Option)}
    assert all(
        _SPELT.get(name, f"--{name.replace('_', '-')}") in spelt[name] for name in wanted if name in spelt
    )
    assert not set(spelt) & _POSITIONAL
    assert "--json" in spelt["as_json"]
    assert command.get_short_help_str(1000).startswith(operation.summary.rstrip("."))


@every_operation
def test_names_are_spelt_alike_in_all_doors(operation: Operation) -> None:
    if operation.name.startswith("vm_"):
        return  # `pyro run`, `pyro env list`: the contract spells them out
    words = operation.name if operation.name.startswith("workspace_") else f"workspace_{operation.name}"
    assert "_".join(operation.cli).replace("-", "_") == words
    assert "_".join([*operation.noun.split("."), operation.method.__name__]) == words


@every_operation
def test_a_workspaces_handle_has_its_operations(operation: Operation) -> None:
    of_many = ("workspace_create", "workspace_list", "workspace_compare")
    if operation.name in of_many or not operation.noun.startswith("workspace"):
        return
    place: type = Workspace
    for name in operation.noun.split(".")[1:]:
        place = get_type_hints(vars(place)[name].fget)["return"]
    assert isinstance(vars(place)[operation.method.__name__], bound)


@every_operation
def test_a_tool_says_what_it_does_and_what_it_changes(operation: Operation) -> None:
    tool = next(tool for tool in PyroServer(Pyro(), "workspace-full").tools() if tool.name == operation.name)
    assert tool.description
    assert tool.description.endswith(".")
    assert tool.annotations is not None
    assert tool.annotations.read_only_hint is (operation.effect == "reads")
    assert tool.annotations.destructive_hint or operation.effect != "destroys"
    assert tool.output_schema is not None
    assert tool.output_schema["type"] == "object"


def test_the_narrower_profile_says_nothing_of_what_it_lacks() -> None:
    async def listed() -> str:
        async with Client(PyroServer(Pyro(), "workspace-core").mcp) as client:
            return (await client.list_tools()).model_dump_json(by_alias=True)

    assert _UNSAID_IN_CORE.findall(anyio.run(listed)) == []


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
