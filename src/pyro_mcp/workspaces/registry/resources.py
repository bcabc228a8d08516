"""Things of this host that pyro makes: each is recorded before it is made, so that a crash leaves nothing unknown.

A resource is `planned` (being made, or never finished), `made`, or `doomed` (nobody wants it, its removal may be under
way). How long it is wanted is its scope: as long as the process that made it lives (`maker`), its machine (`machine`) or its
workspace (`workspace`); `owner` is the id of that machine or workspace, and for `maker` whatever tells people what it is for.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from pyro_mcp.errors import LimitReached
from pyro_mcp.host.processes import ProcessIdentity
from pyro_mcp.workspaces.registry.database import Change, Reading, Registry, Row
from pyro_mcp.workspaces.registry.makers import Maker
from pyro_mcp.workspaces.registry.times import now_ms

Kind = Literal["process", "directory", "socket", "layer", "port", "uid", "lock"]
Scope = Literal["maker", "machine", "workspace"]
Phase = Literal["planned", "made", "doomed"]


@dataclass(frozen=True, kw_only=True)
class ResourceRecord:
    """One thing of this host. Which of path, number and process it has depends on its kind.

    `token` finds a process whose number nobody lived to record: a word of its command line, such as a machine's id.
    """

    id: int
    kind: Kind
    scope: Scope
    owner: str
    phase: Phase
    path: Path | None
    number: int | None
    token: str | None
    process: ProcessIdentity | None
    maker: Maker


def plan(
    change: Change,
    kind: Kind,
    *,
    scope: Scope,
    owner: str,
    maker: Maker,
    path: Path | None = None,
    number: int | None = None,
    token: str | None = None,
) -> int:
    """Record that `maker` is about to make something; commit before making it. Returns the record's number."""
    return change.insert(
        "INSERT INTO resources (kind, scope, owner, phase, path, number, token, maker_pid, maker_started, maker_boot, "
        "created_at) VALUES (?, ?, ?, 'planned', ?, ?, ?, ?, ?, ?, ?)",
        (
            *(kind, scope, owner, None if path is None else str(path), number, token),
            *(maker.process.pid, maker.process.started, maker.boot, now_ms()),
        ),
    )


def plan_number(
    change: Change,
    kind: Literal["port", "uid"],
    among: Iterable[int],
    *,
    scope: Scope,
    owner: str,
    maker: Maker,
) -> int:
    """Record the first number (a uid, a port) that nobody else has, and return the number; raises LimitReached."""
    for number in among:
        try:
            plan(change, kind, scope=scope, owner=owner, maker=maker, number=number)
        except sqlite3.IntegrityError:
            continue
        return number
    raise LimitReached(
        f"every {kind} that pyro may use is taken", hint="Stop a workspace that you do not need."
    )


def made(change: Change, resource_id: int, process: ProcessIdentity | None = None) -> None:
    """Record that it is there; of a process, which one it is."""
    change.run(
        "UPDATE resources SET phase = 'made', pid = ?, started = ? WHERE id = ?",
        (process and process.pid, process and process.started, resource_id),
    )


@contextmanager
def dooming(registry: Registry, resource_id: int) -> Iterator[None]:
    """Make the planned thing inside the block: when the block fails, it is doomed, and the next command removes it."""
    try:
        yield
    except BaseException:
        with registry.changing(durable=False) as change:
            doom(change, resource_id)
        raise


def doom(change: Change, resource_id: int) -> None:
    """Record that nobody wants it any more; remove it after the commit, then forget it."""
    change.run("UPDATE resources SET phase = 'doomed' WHERE id = ?", (resource_id,))


def forget(change: Change, resource_ids: Iterable[int]) -> None:
    """Take out the records of things that are gone, or that another table keeps from now on."""
    for resource_id in resource_ids:
        change.run("DELETE FROM resources WHERE id = ?", (resource_id,))


def recorded(reading: Reading, owner: str | None = None) -> tuple[ResourceRecord, ...]:
    """List every resource, or those of one owner, in the order of their making."""
    where, values = ("", ()) if owner is None else ("WHERE owner = ?", (owner,))
    rows = reading.rows(f"{_SELECT} {where} ORDER BY id", values)
    return tuple(map(_record, rows))


_SELECT = """
SELECT id, kind, scope, owner, phase, path, number, token, pid, started, maker_pid, maker_started, maker_boot FROM resources
"""


def _record(row: Row) -> ResourceRecord:
    return ResourceRecord(
        id=row[0],
        kind=cast(Kind, row[1]),
        scope=cast(Scope, row[2]),
        owner=row[3],
        phase=cast(Phase, row[4]),
        path=None if row[5] is None else Path(row[5]),
        number=row[6],
        token=row[7],
        process=None if row[8] is None else ProcessIdentity(row[8], row[9]),
        maker=Maker(ProcessIdentity(row[10], row[11]), row[12]),
    )
