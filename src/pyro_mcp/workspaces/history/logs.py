"""The history of a workspace, for callers."""

from __future__ import annotations

from datetime import datetime

from pyro_mcp.errors import InvalidRequest
from pyro_mcp.models.events import WorkspaceLogs
from pyro_mcp.workspaces.history import events
from pyro_mcp.workspaces.registry import workspaces
from pyro_mcp.workspaces.session import Sessions

# The first words of the kinds of events; a test holds them against what is logged.
KINDS = (
    "compare",
    "create",
    "diff",
    "disk",
    "exec",
    "export",
    "file",
    "fork",
    "network",
    "patch",
    "reset",
    "service",
    "shell",
    "snapshot",
    "start",
    "stop",
    "summary",
    "sync",
    "update",
)


def workspace_logs(
    sessions: Sessions, reference: str, *, limit: int, since: datetime | None, kind: str | None
) -> WorkspaceLogs:
    """Tell the newest events, oldest first, and whether the history is whole; starts nothing."""
    if kind is not None and kind.partition(".")[0] not in KINDS:
        raise InvalidRequest(f"there are no events of a kind {kind!r}", hint=f"Kinds: {', '.join(KINDS)}.")
    sessions.tidy()
    sessions.history.log_network(sessions.record(reference).id)
    with sessions.registry.reading() as reading:
        record = workspaces.get(reading, reference)
        found = events.latest(reading, record.id, since=since, kind=kind, limit=limit)
        faults = events.verify_chain(reading, record.id)
    return WorkspaceLogs(
        events=tuple(map(events.shown, found)),
        faults=tuple(f"event {fault.sequence}: {fault.problem}" for fault in faults),
    )
