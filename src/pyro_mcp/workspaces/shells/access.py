"""Reach a shell, or tell why it is not there any more. None of this starts a stopped workspace: its shells are gone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyro_mcp.errors import Conflict, NotFound
from pyro_mcp.keeper.shells.records import known_end
from pyro_mcp.workspaces.history.events import Json
from pyro_mcp.workspaces.registry.workspaces import WorkspaceRecord
from pyro_mcp.workspaces.session import Session, Sessions

_OPEN_HINT = "Open another shell to go on; the workspace's files are as they were."


def records_of(sessions: Sessions, workspace_id: str) -> Path:
    """Name the directory in which the keeper notes how shells ended."""
    return sessions.directories.of(workspace_id) / "shells"


@contextmanager
def at_shell(sessions: Sessions, reference: str, shell_id: str, kind: str, **data: Json) -> Iterator[Session]:
    """Use a workspace that runs. Raises NotFound with the reason for a shell that is gone."""
    record = sessions.record(reference)
    if sessions.machines.socket(record.id) is None:
        raise _gone(sessions, record, shell_id)
    try:
        with sessions.using(reference, kind, shell_id=shell_id, **data) as session:
            yield session
    except (NotFound, Conflict) as error:
        if isinstance(error, Conflict) and sessions.machines.socket(record.id) is not None:
            raise  # the shell is there, and cannot do that
        raise _gone(sessions, record, shell_id) from error


def _gone(sessions: Sessions, record: WorkspaceRecord, shell_id: str) -> NotFound:
    ended = known_end(records_of(sessions, record.id), shell_id)
    if ended is None:
        return NotFound(
            f"the workspace has no shell {shell_id}",
            hint="List its shells, or open one: its id is in the answer.",
        )
    return NotFound(
        f"shell {shell_id} is gone: {ended or sessions.machines.why_stopped(record.id)}", hint=_OPEN_HINT
    )
