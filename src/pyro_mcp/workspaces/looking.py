"""Look into a workspace's disk without starting the workspace: a throwaway machine sees its frozen layers, and writes elsewhere.

A filesystem that a guest wrote is only ever mounted in a guest.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pyro_mcp.errors import Conflict, PyroError
from pyro_mcp.workspaces.machines.grounds import size_of
from pyro_mcp.workspaces.registry import layers
from pyro_mcp.workspaces.session import Session, Sessions
from pyro_mcp.workspaces.snapshots import freeze

if TYPE_CHECKING:
    from pyro_mcp.workspaces.history import events
    from pyro_mcp.workspaces.registry.workspaces import WorkspaceRecord


@contextmanager
def looking(sessions: Sessions, record: WorkspaceRecord, layer_id: str) -> Iterator[Session]:
    """Use what the disk held when this layer was frozen, as a session of a workspace is used; the machine is gone afterwards."""
    disk = sessions.grounds.disk_of(record, layer_id)
    with sessions.shop.looking(disk, sessions.grounds.environment_of(record), sessions.promises) as machine:
        yield sessions.session(record, machine.socket)


@contextmanager
def told(sessions: Sessions, reference: str, kind: str, **data: events.Json) -> Iterator[WorkspaceRecord]:
    """Name a workspace that is looked at inside the block without being started; an event tells of it, no error tells secrets."""
    sessions.tidy()
    began = time.monotonic()
    record = sessions.record(reference)
    outcome = "interrupted"
    try:
        yield record
        outcome = "done"
    except PyroError as error:
        error.rewrite(sessions.secrets.redactor(record.id).text)
        outcome = error.code
        raise
    finally:
        sessions.history.log(record.id, kind, began, data, outcome=outcome)


def ground_of_stopped(sessions: Sessions, record: WorkspaceRecord) -> str:
    """Freeze the disk of a stopped workspace as it is and give its layer. Raises Conflict while the workspace runs.

    It goes on in a new layer when it starts, also during the look; one that was never written to is no reason for another.
    """
    with sessions.machines.lock(record.id):
        if sessions.machines.socket(record.id) is not None:
            raise Conflict(
                f"the workspace {record.name or record.id} is running",
                details="Disk operations look into a disk that nobody writes.",
                hint="Stop it first (<<workspace_stop>>), or use <<workspace_file_list>>, <<workspace_file_read>> and "
                "<<workspace_export>>, which work while it runs.",
            )
        record = sessions.record(record.id)
        with sessions.registry.reading() as reading:
            top = layers.get(reading, record.top_layer) if record.top_layer else None
        if top is None:
            raise Conflict("the workspace has no disk yet", hint="Wait until it is created.")
        if top.parent_id is not None and sessions.shop.is_empty(top.path, size_of(record)):
            return top.parent_id
        return freeze(sessions, record)
