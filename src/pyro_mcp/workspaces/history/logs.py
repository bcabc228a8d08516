"""The history of a workspace, for callers."""

from __future__ import annotations

from collections.abc import Collection
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
    sessions: Sessions,
    reference: str,
    *,
    limit: int,
    since: datetime | None,
    kind: str | None,
    without: Collection[str] = (),
) -> WorkspaceLogs:
    """Tell the newest events, oldest first, but for kinds that the caller is not to read of; starts nothing."""
    known = [name for name in KINDS if name not in without]
    if kind is not None and kind.partition(".")[0] not in known:
        raise InvalidRequest(f"there are no events of a kind {kind!r}", hint=f"Kinds: {', '.join(known)}.")
    sessions.tidy()
    sessions.history.log_network(sessions.record(reference).id)
    with sessions.registry.reading() as reading:
        record = workspaces.get(reading, reference)
        found = events.latest(reading, record.id, since=since, kind=kind, limit=limit, without=without)
        faults = events.verify_chain(reading, record.id)
    return WorkspaceLogs(
        events=tuple(map(events.shown, found)),
        faults=tuple(f"event {fault.sequence}: {fault.problem}" for fault in faults),
    )
