"""The names of a workspace's secrets. Their values are never in the database."""

from __future__ import annotations

from collections.abc import Iterable

from pyro_mcp.workspaces.registry.database import Change, Reading


def add(change: Change, workspace_id: str, names: Iterable[str]) -> None:
    """Record that a workspace has secrets of these names."""
    for name in names:
        change.run("INSERT INTO secrets VALUES (?, ?)", (workspace_id, name))


def names(reading: Reading, workspace_id: str) -> tuple[str, ...]:
    """Tell the names of a workspace's secrets, in order."""
    rows = reading.rows("SELECT name FROM secrets WHERE workspace_id = ? ORDER BY name", (workspace_id,))
    return tuple(row[0] for row in rows)
