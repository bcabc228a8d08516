"""The machines that run, one at most per workspace, each with the keeper that holds it."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pyro_mcp.errors import Conflict
from pyro_mcp.host.processes import ProcessIdentity
from pyro_mcp.workspaces.registry.database import Change, Reading, Row
from pyro_mcp.workspaces.registry.makers import Maker
from pyro_mcp.workspaces.registry.times import from_ms, now_ms


@dataclass(frozen=True, kw_only=True)
class MachineRecord:
    """A machine that starts (`keeper` None: `maker` is at it) or runs. `workspace_id` is None for a throwaway one."""

    id: str
    workspace_id: str | None
    runtime: Path
    maker: Maker
    keeper: ProcessIdentity | None
    isolation: str | None
    confinement: str | None
    created_at: datetime


def claim(
    change: Change, machine_id: str, *, workspace_id: str | None, runtime: Path, maker: Maker
) -> MachineRecord:
    """Record that `maker` is about to start a machine. Raises Conflict when the workspace has one or is getting one."""
    try:
        change.run(
            "INSERT INTO machines (id, workspace_id, runtime, maker_pid, maker_started, maker_boot, created_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                machine_id,
                workspace_id,
                str(runtime),
                maker.process.pid,
                maker.process.started,
                maker.boot,
                now_ms(),
            ),
        )
    except sqlite3.IntegrityError as error:
        if "FOREIGN KEY" in str(error):
            raise
        raise Conflict(
            "the workspace has a machine already, or is just getting one",
            hint="Use that one: ask again in a moment.",
        ) from error
    found = find(change, machine_id)
    assert found is not None
    return found


def started(
    change: Change, machine_id: str, keeper: ProcessIdentity, *, isolation: str, confinement: str
) -> None:
    """Record who holds the machine from now on, and behind which walls it runs."""
    change.run(
        "UPDATE machines SET keeper_pid = ?, keeper_started = ?, isolation = ?, confinement = ? WHERE id = ?",
        (keeper.pid, keeper.started, isolation, confinement, machine_id),
    )


def find(reading: Reading, machine_id: str) -> MachineRecord | None:
    """Find a machine by its own id."""
    row = reading.row(f"{_SELECT} WHERE id = ?", (machine_id,))
    return None if row is None else _record(row)


def of_workspace(reading: Reading, workspace_id: str) -> MachineRecord | None:
    """Find the machine of a workspace."""
    row = reading.row(f"{_SELECT} WHERE workspace_id = ?", (workspace_id,))
    return None if row is None else _record(row)


def recorded(reading: Reading) -> tuple[MachineRecord, ...]:
    """List every machine, the oldest first."""
    return tuple(map(_record, reading.rows(f"{_SELECT} ORDER BY created_at, id")))


def forget(change: Change, machine_id: str) -> None:
    """Take a machine that is gone off the record; what it had (scope `machine`) is then cleaned up."""
    change.run("DELETE FROM machines WHERE id = ?", (machine_id,))


_SELECT = """
SELECT id, workspace_id, runtime, maker_pid, maker_started, maker_boot, keeper_pid, keeper_started, isolation, confinement,
       created_at
FROM machines
"""


def _record(row: Row) -> MachineRecord:
    return MachineRecord(
        id=row[0],
        workspace_id=row[1],
        runtime=Path(row[2]),
        maker=Maker(ProcessIdentity(row[3], row[4]), row[5]),
        keeper=None if row[6] is None else ProcessIdentity(row[6], row[7]),
        isolation=row[8],
        confinement=row[9],
        created_at=from_ms(row[10]),
    )
