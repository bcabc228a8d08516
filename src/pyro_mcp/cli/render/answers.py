"""Answers as people read them: one function per kind of answer. JSON is the same for all."""

import json
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from pyro_mcp.cli.render.tables import size, table
from pyro_mcp.models.encoding import as_object
from pyro_mcp.models.environment import EnvironmentInfo
from pyro_mcp.models.network import decision_text
from pyro_mcp.models.run import RunResult
from pyro_mcp.models.seed import SeedReport
from pyro_mcp.progress import remarked

if TYPE_CHECKING:
    from pyro_mcp.environments.values import EnvironmentListing  # costs `pyro run` 8 ms


def json_text(result: object, plural: str | None = None) -> str:
    """One JSON object on one line. ASCII: a terminal or pipe of any encoding can take it."""
    return json.dumps(as_object(result, plural, remarks=remarked()))


def environments(found: Sequence[EnvironmentInfo]) -> str:
    """Environments as a table."""
    rows = [
        (
            item.name,
            item.state.replace("_", " "),
            size(item.size_bytes),
            (item.digest or "-")[:12],
            item.summary,
        )
        for item in found
    ]
    return table(("NAME", "STATE", "SIZE", "DIGEST", "WHAT IT IS"), rows)


def one_environment(found: "EnvironmentListing") -> str:
    """One environment in full, a fact a line."""
    facts = {
        "name": found.name,
        "what it is": found.summary,
        "state": "available" if found.built else "not pulled",
        "digest": found.digest,
        "size": size(found.size) if found.size is not None else None,
        "built at": found.built_at,
        "image": found.image,
        "recipe": found.recipe,
        "imported": found.imported_from,
        "image id": found.image_id,
        "base": found.base,
        "packages": ", ".join(found.packages),
        "workdir": found.defaults.workdir,
        "user": found.defaults.user,
        "env": " ".join(f"{key}={value}" for key, value in found.defaults.env.items()),
    }
    return "\n".join(f"{name + ':':<12} {fact}" for name, fact in facts.items() if fact)


def run_summary(result: RunResult) -> str:
    """One line about a run, for stderr."""
    seconds = result.duration_ms / 1000
    walls = f"isolation {result.isolation}, confinement {result.confinement}"
    if result.isolation == "emulated" and result.confinement != "full":
        walls += ": WARNING: no boundary for code you do not trust, see pyro doctor"
    line = f"pyro: {ending(result)} after {seconds:.2f} s in {result.environment} ({walls})"
    return "\n".join(
        [
            line,
            *(f"pyro: {line}" for line in _seed_lines(result.seed)),
            *(
                f"pyro: network: {decision_text(item)}"
                for item in result.network
                if item.outcome != "allowed"
            ),
            *(["pyro: what it had left running was ended with it"] * result.left_running),
        ]
    )


def _seed_lines(seed: SeedReport | None) -> list[str]:
    if seed is None:
        return []
    from pyro_mcp.cli.render.workspace import seed_lines  # which most runs do without

    return seed_lines(seed, option="")


def ending(result: RunResult) -> str:
    """How a command ended."""
    if result.outcome == "timed_out":
        return "stopped at its time limit"
    if result.outcome in ("interrupted", "killed"):
        return result.outcome
    if result.signal is not None:
        return f"ended by signal {result.signal}"
    return f"exit status {result.exit_code}"


# Where an operation's answer is shown, by the operation's name: imported when it is, for each module costs its models.
_RENDERERS: Mapping[str, str] = {
    "vm_list_environments": "answers:environments",
    "workspace_create": "workspace:created",
    "workspace_list": "workspace:workspaces",
    "workspace_status": "workspace:status",
    "workspace_update": "workspace:status",
    "workspace_output_read": "workspace:output",
    "workspace_sync_push": "file:pushed",
    "workspace_file_list": "file:listing",
    "workspace_file_read": "file:content",
    "workspace_file_write": "file:written",
    "workspace_file_edit": "file:edited",
    "workspace_file_search": "file:matches",
    "workspace_file_remove": "file:removed",
    "workspace_patch_apply": "file:patched",
    "workspace_diff": "file:diff",
    "workspace_summary": "review:summary",
    "workspace_compare": "review:comparison",
    "workspace_export": "file:exported",
    "workspace_logs": "workspace:logs",
    "workspace_reset": "workspace:status",
    "workspace_delete": "workspace:deleted",
    "workspace_start": "workspace:status",
    "workspace_stop": "workspace:status",
    "workspace_fork": "workspace:forks",
    "service_start": "service:service",
    "service_list": "service:services",
    "service_status": "service:service",
    "service_logs": "service:logs",
    "service_stop": "service:service",
    "workspace_disk_list": "file:listing",
    "workspace_disk_read": "disk:content",
    "workspace_disk_export": "disk:exported",
    "snapshot_create": "workspace:snapshot",
    "snapshot_list": "workspace:snapshots",
    "snapshot_delete": "workspace:snapshot_deleted",
    "shell_open": "shell:opened",
    "shell_write": "shell:written",
    "shell_read": "shell:read",
    "shell_signal": "shell:shell",
    "shell_resize": "shell:shell",
    "shell_close": "shell:shell",
    "shell_list": "shell:shells",
}


def shown(name: str, answer: object) -> str | bytes:
    """Give the answer of the operation called `name` as people read it."""
    module, _, function = _RENDERERS[name].partition(":")
    text = getattr(import_module(f"pyro_mcp.cli.render.{module}"), function)(answer)
    assert isinstance(text, str | bytes)
    return text


# What is to be said beside an answer, on stderr, because the answer itself is piped on.
_ASIDES: Mapping[str, str] = {"workspace_diff": "file:beside_diff"}


def aside(name: str, answer: object) -> str | None:
    """Give what people are told beside the answer of the operation called `name`; mostly nothing."""
    if name not in _ASIDES:
        return None
    module, _, function = _ASIDES[name].partition(":")
    text = getattr(import_module(f"pyro_mcp.cli.render.{module}"), function)(answer)
    return str(text) if text else None


def ids_of(answer: object) -> list[str]:
    """The ids of what was made: the workspace's, the shell's, or those of all forks."""
    made = answer if isinstance(answer, list) else [answer]
    things = (getattr(item, "workspace", item) for item in made)
    names = ("workspace_id", "shell_id")
    return [str(getattr(item, name)) for item in things for name in names if hasattr(item, name)]
