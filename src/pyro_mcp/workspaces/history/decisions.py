"""What a keeper has decided about its machine's network, brought from its record into the workspace's history."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from pyro_mcp.workspaces.history import events
from pyro_mcp.workspaces.machines.network import RECORD
from pyro_mcp.workspaces.registry import workspaces
from pyro_mcp.workspaces.registry.database import Change

# Read at once; what is beyond follows with the next operation.
_MOST_BYTES = 4 << 20
_OUTCOMES = {"allowed": "done", "refused": "policy_denied", "failed": "failed"}


def log_decisions(change: Change, workspace_id: str, directory: Path) -> None:
    """Append to the history what the keeper has decided since the last time; whole lines, each once."""
    record = directory / RECORD
    with suppress(FileNotFoundError):
        size = record.stat().st_size
        logged = workspaces.network_logged(change, workspace_id)
        if size > logged:
            whole = _whole_lines(record, logged)
            for line in whole.splitlines():
                _append(change, workspace_id, line)
            workspaces.set_network_logged(change, workspace_id, logged + len(whole))


def _whole_lines(record: Path, start: int) -> bytes:
    with record.open("rb") as file:
        file.seek(start)
        data = file.read(_MOST_BYTES)
    return data[: data.rfind(b"\n") + 1]


def _append(change: Change, workspace_id: str, line: bytes) -> None:
    try:
        told = json.loads(line)
        at, outcome = int(told.pop("at")), _OUTCOMES[told.pop("outcome")]
    except (ValueError, KeyError, TypeError, AttributeError):
        return  # a line that a full disk cut short
    events.append(change, workspace_id, "network", outcome=outcome, data=told, at=at)
