"""Workspaces as people read them."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from pyro_mcp.cli.render.tables import facts, size, table
from pyro_mcp.models.events import WorkspaceLogs
from pyro_mcp.models.network import decision_text
from pyro_mcp.models.seed import SeedReport
from pyro_mcp.models.workspace import (
    DeletedWorkspace,
    ExecResult,
    ForkOutcome,
    OutputText,
    SnapshotInfo,
    WorkspaceInfo,
    WorkspaceStatus,
)

_NAMES_SHOWN = 5


def created(status: WorkspaceStatus) -> str:
    """The name to go on with, and what was left out of the seed."""
    seed = seed_lines(status.seed)
    lines = [f"{status.name or status.workspace_id}  {status.workspace_id}  {status.environment}", *seed]
    return "\n".join([*lines, f"pyro workspace exec {status.name or status.workspace_id} -- COMMAND..."])


def workspaces(found: Sequence[WorkspaceInfo]) -> str:
    """Workspaces as a table; how to make one when there is none."""
    if not found:
        return "no workspaces; make one with: pyro workspace create --seed-path ."
    return table(
        ("NAME", "ID", "STATE", "ENVIRONMENT", "LAST ACTIVITY", "LABELS"), [_row(item) for item in found]
    )


def status(found: WorkspaceStatus) -> str:
    """One workspace in full, a fact a line."""
    reason = f" ({found.state_reason})" if found.state_reason else ""
    told = {
        "name": found.name,
        "id": found.workspace_id,
        "state": f"{found.state}{reason}",
        "environment": found.environment,
        "labels": _labels(found.labels),
        "isolation": found.isolation,
        "confinement": found.confinement,
        "created": _time(found.created_at),
        "last activity": _time(found.last_activity_at),
        "machine": f"{found.vcpu_count} CPU, {found.mem_mib} MiB memory, {found.disk_mib} MiB disk",
        "idle stop": f"{found.idle_stop_seconds} s" if found.idle_stop_seconds else "never",
        "deleted after": f"{found.ttl_seconds} s" if found.ttl_seconds else "never",
        "network": " ".join((found.network_policy, *found.allow_hosts)),
        "secrets": ", ".join(found.secrets),
        "on this host": f"{size(found.stored_bytes)} written, {size(found.output_bytes)} of output",
        "running": ", ".join(found.running),
        "services": ", ".join(found.services),
        "shells": ", ".join(found.shells),
        "seed": "\n".join(seed_lines(found.seed)),
    }
    return facts(told)


def exec_summary(result: ExecResult, workspace: str) -> str:
    """One line about a command, for stderr."""
    if result.outcome == "running":
        after = f" after {result.duration_ms / 1000:.0f} s" if result.duration_ms >= 1000 else ""
        return f"pyro: still running{after}; find it again: pyro workspace exec-wait {workspace} {result.exec_id}"
    if result.outcome == "unknown":
        return f"pyro: outcome unknown, its machine ended; {result.output_id} keeps what it wrote"
    lines = [f"pyro: {_ending(result)} after {result.duration_ms / 1000:.2f} s ({result.output_id})"]
    lines += [f"pyro: network: {decision_text(item)}" for item in result.network]
    return "\n".join([*lines, *(["pyro: what it had left running was ended with it"] * result.left_running)])


def output(part: OutputText) -> str:
    """The text alone: what is read here is often piped on."""
    return part.text.removesuffix("\n")


def logs(found: WorkspaceLogs) -> str:
    """The history as a table, and where it is damaged."""
    rows = [
        (
            str(event.sequence),
            _time(event.at),
            event.kind,
            event.outcome,
            "-" if event.duration_ms is None else f"{event.duration_ms / 1000:.2f} s",
            " ".join(f"{key}={_fact(value)}" for key, value in event.data.items() if value not in (None, ""))[
                :100
            ],
        )
        for event in found.events
    ]
    shown = table(("#", "AT", "WHAT", "OUTCOME", "TOOK", "WITH"), rows)
    return "\n".join([shown, *(f"DAMAGED: {fault}" for fault in found.faults)])


def deleted(gone: DeletedWorkspace) -> str:
    """What is gone."""
    return f"{gone.name or gone.workspace_id} is deleted, {size(gone.freed_bytes)} freed"


def forks(found: Sequence[ForkOutcome]) -> str:
    """The new workspaces as a table."""
    return workspaces([fork.workspace for fork in found if fork.workspace])


def snapshot(found: SnapshotInfo) -> str:
    """One snapshot."""
    return f"{found.name}  {_time(found.created_at)}  {size(found.size_bytes)}"


def snapshot_deleted(gone: SnapshotInfo) -> str:
    """That it is gone."""
    return f"{gone.name} is deleted"


def snapshots(found: Sequence[SnapshotInfo]) -> str:
    """Snapshots as a tree: each stands below the one that it grew from."""
    rows = [
        ("  " * depth + item.name, _time(item.created_at), _age(item.created_at), size(item.size_bytes))
        for depth, item in _grown(found, None, 0)
    ]
    return table(("NAME", "CREATED", "AGE", "SIZE"), rows)


def _grown(
    found: Sequence[SnapshotInfo], parent: str | None, depth: int
) -> Iterator[tuple[int, SnapshotInfo]]:
    for item in found:
        if item.parent == parent:
            yield depth, item
            yield from _grown(found, item.name, depth + 1)


def _age(since: datetime) -> str:
    """The two largest units of it."""
    seconds = max(int((datetime.now(UTC) - since).total_seconds()), 0)
    parts = [
        f"{amount}{unit}"
        for amount, unit in (
            (seconds // 86400, "d"),
            (seconds // 3600 % 24, "h"),
            (seconds // 60 % 60, "m"),
            (seconds % 60, "s"),
        )
    ]
    first = next((index for index, part in enumerate(parts) if not part.startswith("0")), len(parts) - 1)
    return " ".join(parts[first : first + 2])


def _fact(value: object) -> str:
    """A command as a shell would take it, anything else as it is."""
    return shlex.join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _row(item: WorkspaceInfo) -> tuple[str, ...]:
    return (
        item.name or "-",
        item.workspace_id,
        item.state,
        item.environment,
        _time(item.last_activity_at),
        _labels(item.labels),
    )


def _ending(result: ExecResult) -> str:
    if result.outcome == "timed_out":
        return "stopped at its time limit"
    if result.outcome in ("interrupted", "killed"):
        return result.outcome
    return f"ended by signal {result.signal}" if result.signal else f"exit status {result.exit_code}"


def seed_lines(seed: SeedReport | None, option: str = " (--include-sensitive)") -> list[str]:
    """What a seed holds and what was left out; `option` takes along what was withheld, where there is one."""
    if seed is None or seed.kind == "none":
        return []
    skipped = tuple(item.path for item in seed.skipped)
    groups = (
        ("ignored by git, left out", seed.ignored, seed.ignored_count),
        (f"likely to hold secrets, withheld{option}", seed.withheld, seed.withheld_count),
        (
            "tracked by git, though likely to hold secrets",
            seed.sensitive_tracked,
            seed.sensitive_tracked_count,
        ),
        ("could not be taken", skipped, seed.skipped_count),
    )
    first = f"{seed.files} {'file' if seed.files == 1 else 'files'}, {size(seed.bytes)}, of {seed.source}"
    first += f", all below {seed.top}/" if seed.top else ""
    return [first, *(f"{count} {what}: {_names(names, count)}" for what, names, count in groups if count)]


def _names(names: Sequence[str], count: int) -> str:
    more = count - len(names[:_NAMES_SHOWN])
    return ", ".join(names[:_NAMES_SHOWN]) + (f" and {more} more" if more else "")


def _labels(labels: Mapping[str, str]) -> str:
    return " ".join(f"{key}={value}" for key, value in labels.items())


def _time(at: datetime) -> str:
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S")
