"""Answers about workspaces as a model reads them."""

from collections.abc import Mapping, Sequence

from pyro_mcp.mcp_server.texts.answers import of_all, remarks, resumed_line, warnings
from pyro_mcp.mcp_server.texts.complaints import what_to_do
from pyro_mcp.mcp_server.texts.seed import seed_lines, size_text
from pyro_mcp.models.events import WorkspaceEvent, WorkspaceLogs
from pyro_mcp.models.workspace import (
    DeletedWorkspace,
    ExecResult,
    ForkOutcome,
    OutputText,
    SnapshotInfo,
    WorkspaceInfo,
    WorkspaceStatus,
)
from pyro_mcp.terminal.plain import plain


def created_text(status: WorkspaceStatus) -> str:
    """What there is now, and what was left out of it."""
    lines = [f"workspace {_called(status)} is running: {status.environment}, {_walls(status)}"]
    lines += warnings(status.isolation, status.confinement)
    lines += _granted(status)
    lines += seed_lines(status.seed)
    return "\n".join([*lines, "Run commands in it with workspace_exec; the working directory is /workspace."])


def list_text(found: Sequence[WorkspaceInfo]) -> str:
    """A line each."""
    if not found:
        return "No workspace is like that. Create one with workspace_create."
    return "\n".join(_line(item) for item in found)


def status_text(status: WorkspaceStatus) -> str:
    """The facts, a group a line."""
    reason = f" ({status.state_reason})" if status.state_reason else ""
    lines = [
        f"workspace {_called(status)}: {status.state}{reason}, {status.environment}",
        f"created {status.created_at:%Y-%m-%d %H:%M:%S} UTC, last activity "
        f"{status.last_activity_at:%Y-%m-%d %H:%M:%S} UTC",
        f"{status.vcpu_count} CPU, {status.mem_mib} MiB memory, {status.disk_mib} MiB for files "
        f"({size_text(status.stored_bytes)} written, {size_text(status.output_bytes)} of output kept)",
        f"idle_stop_seconds {status.idle_stop_seconds or 'never'}, ttl_seconds {status.ttl_seconds or 'never'}",
    ]
    if status.isolation:
        lines += [_walls(status), *warnings(status.isolation, status.confinement)]
    lines += _granted(status)
    if status.labels:
        lines.append(f"labels {_labels(status.labels)}")
    lines += seed_lines(status.seed)
    if status.running:
        lines.append(f"running: {', '.join(status.running)} (workspace_exec_wait)")
    if status.services:
        lines.append(f"services: {', '.join(status.services)} (service_status)")
    if status.shells:
        lines.append(f"shells: {', '.join(status.shells)} (shell_read)")
    return "\n".join(lines)


def reset_text(status: WorkspaceStatus) -> str:
    """That it is done, then the facts."""
    return f"workspace {_called(status)} is put back; what ran in it has ended\n{status_text(status)}"


def exec_text(result: ExecResult, *, wide: bool = False) -> str:
    """How it ended, then what it said, then what is to be done about it."""
    lines = [f"{_ending(result)}{_took(result)}"]
    if result.resumed:
        lines.append(resumed_line(result.resumed_reason, wide=wide))
    told_before = bool(result.stdout_from or result.stderr_from)
    if told_before:
        whole = f"workspace_output_read with output_id={result.output_id} has the whole"
        lines.append(f"(only what is new since the last answer; {whole})")
    for name, text in (("stdout", result.stdout), ("stderr", result.stderr)):
        if text:
            lines += [f"--- {name}", plain(text).rstrip("\n")]
    if not result.stdout and not result.stderr:
        yet = " yet" if result.outcome == "running" else ""
        lines.append("(nothing new)" if told_before else f"(no output{yet})")
    lines += remarks(result, wide=wide)
    if step := _next_step(result):
        lines += ["---", step]
    return "\n".join(lines)


def output_text(part: OutputText) -> str:
    """The text, and where it goes on."""
    if part.matches is not None:
        return "\n".join([matches_text(part, part.matches), plain(part.text)]).rstrip()
    lines = [
        f"{part.stream} of {part.output_id}, from byte {part.offset} of {part.size}",
        plain(part.text).rstrip("\n"),
    ]
    if part.next_offset is not None:
        lines += ["---", f"Go on with offset={part.next_offset}."]
    return "\n".join(lines)


def matches_text(part: OutputText, shown: int) -> str:
    """How many lines match, and which of them these are."""
    if part.gave_up:
        return f"The search took too long and was ended after {shown} matching lines of {part.stream}: use a simpler grep."
    if not shown:
        other = "stderr" if part.stream == "stdout" else "stdout"
        elsewhere = f"{other} has {part.other_matches}" if part.other_matches else f"nor of {other}"
        return f"No line of {part.stream} matches; {elsewhere}."
    if shown == part.total_matches:
        return f"{shown} matching {'line' if shown == 1 else 'lines'} of {part.stream}"
    end = "last" if part.from_end else "first"
    return f"{end} {shown} matching lines of {part.stream}, {of_all(part.total_matches)}"


def logs_text(logs: WorkspaceLogs) -> str:
    """A line per event."""
    lines = [_event(event) for event in logs.events] or ["Nothing is recorded."]
    return "\n".join([*lines, *(f"DAMAGED: {fault}" for fault in logs.faults)])


def deleted_text(gone: DeletedWorkspace) -> str:
    """What is gone."""
    return f"workspace {_called(gone)} is deleted, {size_text(gone.freed_bytes)} are free again"


def forks_text(forks: Sequence[ForkOutcome]) -> str:
    """A line each: the copy, or why there is none."""
    return "\n".join(
        _line(fork.workspace)
        if fork.workspace
        else f"not forked, {fork.code}: {fork.error}\nhint: {fork.hint}"
        for fork in forks
    )


def snapshot_text(found: SnapshotInfo) -> str:
    """One snapshot."""
    parent = f", grown from {found.parent}" if found.parent else ""
    return f"snapshot {found.name}: {found.created_at:%Y-%m-%d %H:%M:%S} UTC, {size_text(found.size_bytes)}{parent}"


def snapshot_gone_text(gone: SnapshotInfo) -> str:
    """What is gone."""
    return f"snapshot {gone.name} is deleted"


def snapshots_text(found: Sequence[SnapshotInfo]) -> str:
    """A line each."""
    return "\n".join(snapshot_text(item) for item in found) or "There is no snapshot."


def _took(result: ExecResult) -> str:
    """The guest tells how long a command took when it has ended; until then its keeper does."""
    if result.outcome == "unknown" or (result.outcome == "running" and not result.duration_ms):
        return ""
    seconds = result.duration_ms / 1000
    return (
        f" after {seconds:.0f} s"
        if result.outcome == "running" and seconds >= 1
        else f" after {seconds:.2f} s"
    )


def _ending(result: ExecResult) -> str:
    if result.outcome == "running":
        return "still running"
    if result.outcome == "unknown":
        return "outcome unknown: the machine ended while it ran"
    if result.outcome == "timed_out":
        return "timed out: the command and all it started were killed"
    if result.outcome in ("interrupted", "killed"):
        return f"{result.outcome} before it finished"
    return f"ended by signal {result.signal}" if result.signal else f"exit_code {result.exit_code}"


def _next_step(result: ExecResult) -> str | None:
    if result.outcome == "running":
        return f"It goes on: workspace_exec_wait with exec_id={result.exec_id} waits, interrupts or kills."
    if result.stdout_truncated or result.stderr_truncated:
        cut = "stdout" if result.stdout_truncated else "stderr"
        return (
            f"The middle was cut; all is kept: workspace_output_read with output_id={result.output_id}, "
            f"stream={cut}, and offset, tail_lines or grep."
        )
    if result.outcome == "timed_out":
        return "Give a larger timeout_seconds, or a command that does less."
    return what_to_do(result.exit_code, result.stderr)


def _granted(status: WorkspaceStatus) -> list[str]:
    """What it was given beside a machine, where it was."""
    only = f", only to {', '.join(status.allow_hosts)}" if status.allow_hosts else ""
    return [
        *([f"secrets {', '.join(status.secrets)}"] if status.secrets else []),
        *([f"network {status.network_policy}{only}"] if status.network_policy != "off" else []),
    ]


def _line(item: WorkspaceInfo) -> str:
    labels = f", {_labels(item.labels)}" if item.labels else ""
    return (
        f"{_called(item)}: {item.state}, {item.environment}, "
        f"last activity {item.last_activity_at:%Y-%m-%d %H:%M:%S} UTC{labels}"
    )


def _called(item: WorkspaceInfo | WorkspaceStatus | DeletedWorkspace) -> str:
    return f"{item.name} ({item.workspace_id})" if item.name else item.workspace_id


def _walls(status: WorkspaceStatus) -> str:
    return f"isolation {status.isolation}, confinement {status.confinement}"


def _labels(labels: Mapping[str, str]) -> str:
    return " ".join(f"{key}={value}" for key, value in labels.items())


def _event(event: WorkspaceEvent) -> str:
    took = f" {event.duration_ms / 1000:.2f} s" if event.duration_ms is not None else ""
    data = " ".join(f"{key}={value}" for key, value in event.data.items() if value not in (None, ""))
    return f"{event.sequence} {event.at:%Y-%m-%d %H:%M:%S} {event.kind} {event.outcome}{took} {data[:200]}".rstrip()
