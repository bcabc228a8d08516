"""The workspaces: one row each, found by id or by name."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, cast

from pyro_mcp.errors import Conflict, NotFound
from pyro_mcp.models.network import NO_NETWORK, NetworkSettings
from pyro_mcp.workspaces.registry.database import Change, Reading, Row
from pyro_mcp.workspaces.registry.makers import Maker
from pyro_mcp.workspaces.registry.names import check_name, generate_name, looks_like_id
from pyro_mcp.workspaces.registry.times import from_ms, now_ms

State = Literal["creating", "running", "stopped", "failed", "deleting"]


@dataclass(frozen=True, kw_only=True)
class NewWorkspace:
    """What a workspace is made with. `name` None: a name is generated."""

    id: str
    environment: str
    environment_digest: str
    name: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    vcpu_count: int = 1
    mem_mib: int = 1024
    disk_mib: int = 16384
    idle_stop_seconds: int | None = 1800
    ttl_seconds: int | None = None
    network: NetworkSettings = NO_NETWORK


@dataclass(frozen=True, kw_only=True)
class WorkspaceRecord:
    """A workspace as it is recorded. `seed_report` is JSON; `top_layer` is the layer that its machine writes."""

    id: str
    name: str | None
    labels: Mapping[str, str]
    environment: str
    environment_digest: str
    state: State
    state_reason: str | None
    vcpu_count: int
    mem_mib: int
    disk_mib: int
    idle_stop_seconds: int | None
    ttl_seconds: int | None
    created_at: datetime
    last_activity_at: datetime
    seed_digest: str | None
    seed_report: str | None
    top_layer: str | None
    at_snapshot: str | None
    network: NetworkSettings


_SELECT = """
SELECT w.id, w.name, w.environment, w.environment_digest, w.state, w.state_reason, w.vcpu_count, w.mem_mib, w.disk_mib,
       w.idle_stop_seconds, w.ttl_seconds, w.created_at, w.last_activity_at, w.seed_digest, w.seed_report, w.top_layer_id,
       s.name, w.network_policy, w.allow_hosts, w.host_ca
FROM workspaces w LEFT JOIN snapshots s ON s.id = w.at_snapshot_id
"""


def add(change: Change, new: NewWorkspace, maker: Maker) -> WorkspaceRecord:
    """Record a workspace that `maker` is about to make; it is `creating` until set_state() says that it is there.

    Raises InvalidRequest for a name that cannot be, Conflict for one that is taken.
    """
    name = check_name(new.name) if new.name is not None else generate_name(_names(change))
    now = now_ms()
    _unique(
        change,
        name,
        "INSERT INTO workspaces (id, name, environment, environment_digest, state, maker_pid, maker_started, maker_boot, "
        "vcpu_count, mem_mib, disk_mib, idle_stop_seconds, ttl_seconds, created_at, last_activity_at, "
        "network_policy, allow_hosts, host_ca) "
        "VALUES (?, ?, ?, ?, 'creating', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(new.id, name, new.environment, new.environment_digest),
            *(maker.process.pid, maker.process.started, maker.boot),
            *(new.vcpu_count, new.mem_mib, new.disk_mib, new.idle_stop_seconds, new.ttl_seconds, now, now),
            *(new.network.policy, json.dumps(new.network.allow_hosts), new.network.host_ca),
        ),
    )
    relabel(change, new.id, new.labels)
    return get(change, new.id)


def find(reading: Reading, reference: str) -> WorkspaceRecord | None:
    """Find a workspace by its id or name."""
    column = "id" if looks_like_id(reference) else "name"
    row = reading.row(f"{_SELECT} WHERE w.{column} = ?", (reference,))
    return None if row is None else _record(row, _labels(reading, row[0]))


def get(reading: Reading, reference: str) -> WorkspaceRecord:
    """Give the workspace with this id or name; raises NotFound, with near names."""
    found = find(reading, reference)
    if found is None:
        raise NotFound(f"there is no workspace {reference[:80]!r}", hint=_did_you_mean(reading, reference))
    return found


def select(
    reading: Reading,
    *,
    labels: Mapping[str, str] | None = None,
    state: State | None = None,
    environment: str | None = None,
    limit: int | None = None,
) -> tuple[WorkspaceRecord, ...]:
    """List the workspaces that meet every condition given, the one used last first."""
    conditions: list[str] = []
    values: list[object] = []
    for column, value in (("state", state), ("environment", environment)):
        if value is not None:
            conditions.append(f"w.{column} = ?")
            values.append(value)
    for key, value in (labels or {}).items():
        conditions.append(
            "EXISTS (SELECT 1 FROM labels l WHERE l.workspace_id = w.id AND l.key = ? AND l.value = ?)"
        )
        values += [key, value]
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    rows = reading.rows(
        f"{_SELECT} {where} ORDER BY w.last_activity_at DESC, w.created_at DESC, w.id LIMIT ?",
        [*values, -1 if limit is None else limit],
    )
    labelled = _all_labels(reading) if rows else {}
    return tuple(_record(row, labelled.get(row[0], {})) for row in rows)


def rename(change: Change, workspace_id: str, name: str | None) -> None:
    """Give a workspace another name, or none. Raises InvalidRequest or Conflict as add() does."""
    checked = None if name is None else check_name(name)
    _unique(change, checked, "UPDATE workspaces SET name = ? WHERE id = ?", (checked, workspace_id))


def relabel(change: Change, workspace_id: str, labels: Mapping[str, str | None]) -> None:
    """Set these labels and leave the others; a label of None is taken off."""
    for key, value in labels.items():
        change.run("DELETE FROM labels WHERE workspace_id = ? AND key = ?", (workspace_id, key))
        if value is not None:
            change.run("INSERT INTO labels VALUES (?, ?, ?)", (workspace_id, key, value))


def set_clocks(
    change: Change, workspace_id: str, *, idle_stop_seconds: int | None, ttl_seconds: int | None
) -> None:
    """Set both clocks; None switches one off."""
    change.run(
        "UPDATE workspaces SET idle_stop_seconds = ?, ttl_seconds = ? WHERE id = ?",
        (idle_stop_seconds, ttl_seconds, workspace_id),
    )


def set_state(
    change: Change, workspace_id: str, state: State, *, reason: str | None = None, maker: Maker | None = None
) -> None:
    """Say how it stands. `creating` and `deleting` name the process at it, so that its death is noticed."""
    process = maker.process if maker else None
    change.run(
        "UPDATE workspaces SET state = ?, state_reason = ?, maker_pid = ?, maker_started = ?, maker_boot = ? WHERE id = ?",
        (
            state,
            reason,
            process and process.pid,
            process and process.started,
            maker and maker.boot,
            workspace_id,
        ),
    )


def set_seed(change: Change, workspace_id: str, digest: str | None, report: str) -> None:
    """Record which seed image the workspace lies on (None: none) and what was said of it, in JSON."""
    change.run(
        "UPDATE workspaces SET seed_digest = ?, seed_report = ? WHERE id = ?", (digest, report, workspace_id)
    )


def network_logged(change: Change, workspace_id: str) -> int:
    """Tell how much of the record of network decisions is in the events already, in bytes."""
    row = change.row("SELECT network_logged FROM workspaces WHERE id = ?", (workspace_id,))
    return 0 if row is None else int(row[0])


def set_network_logged(change: Change, workspace_id: str, size: int) -> None:
    """Note how much of the record is in the events."""
    change.run("UPDATE workspaces SET network_logged = ? WHERE id = ?", (size, workspace_id))


def touch(change: Change, workspace_id: str) -> None:
    """Note activity. Worth no fsync: call it in a change that is not durable."""
    change.run("UPDATE workspaces SET last_activity_at = ? WHERE id = ?", (now_ms(), workspace_id))


def expired(reading: Reading) -> tuple[str, ...]:
    """Tell the ids of the workspaces whose `ttl_seconds` since their creation are over."""
    rows = reading.rows(
        "SELECT id FROM workspaces WHERE ttl_seconds IS NOT NULL AND created_at + ttl_seconds * 1000 <= ? ORDER BY id",
        (now_ms(),),
    )
    return tuple(row[0] for row in rows)


def seeds_in_use(reading: Reading) -> frozenset[str]:
    """Tell the digests of the seed images that some workspace lies on."""
    return frozenset(
        row[0] for row in reading.rows("SELECT seed_digest FROM workspaces WHERE seed_digest IS NOT NULL")
    )


def environments_in_use(reading: Reading) -> frozenset[str]:
    """Tell the digests of the environments' images that some workspace stands on."""
    return frozenset(row[0] for row in reading.rows("SELECT environment_digest FROM workspaces"))


def being_made(reading: Reading) -> bool:
    """Tell whether a workspace is being made, which may have chosen a seed that is not on record yet."""
    return reading.row("SELECT 1 FROM workspaces WHERE state = 'creating'") is not None


def remove(change: Change, workspace_id: str) -> None:
    """Forget a workspace with its labels, snapshots, machine and events. Its layers: layers.free_unreferenced()."""
    change.run(
        "UPDATE workspaces SET at_snapshot_id = NULL, top_layer_id = NULL WHERE id = ?", (workspace_id,)
    )
    change.run("UPDATE snapshots SET parent_id = NULL WHERE workspace_id = ?", (workspace_id,))
    change.run("DELETE FROM workspaces WHERE id = ?", (workspace_id,))


def _unique(change: Change, name: str | None, statement: str, values: tuple[object, ...]) -> None:
    try:
        change.run(statement, values)
    except sqlite3.IntegrityError as error:
        if "workspaces.name" not in str(error):
            raise
        raise Conflict(
            f"there is a workspace {name!r} already",
            hint=f"Choose another name, or look at what `<<workspace_status>>` tells of {name}.",
        ) from error


def _names(reading: Reading) -> frozenset[str]:
    return frozenset(row[0] for row in reading.rows("SELECT name FROM workspaces WHERE name IS NOT NULL"))


def _labels(reading: Reading, workspace_id: str) -> dict[str, str]:
    return dict(reading.rows("SELECT key, value FROM labels WHERE workspace_id = ?", (workspace_id,)))


def _all_labels(reading: Reading) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for workspace_id, key, value in reading.rows("SELECT workspace_id, key, value FROM labels"):
        found.setdefault(workspace_id, {})[key] = value
    return found


def _did_you_mean(reading: Reading, reference: str) -> str:
    from difflib import get_close_matches  # only for an error

    ids = [row[0] for row in reading.rows("SELECT id FROM workspaces")]
    near = get_close_matches(reference, [*_names(reading), *ids], n=3)
    meant = f"Did you mean {', '.join(near)}? " if near else ""
    return f"{meant}`<<workspace_list>>` shows them all."


def _record(row: Row, labels: Mapping[str, str]) -> WorkspaceRecord:
    return WorkspaceRecord(
        id=row[0],
        name=row[1],
        labels=labels,
        environment=row[2],
        environment_digest=row[3],
        state=cast(State, row[4]),
        state_reason=row[5],
        vcpu_count=row[6],
        mem_mib=row[7],
        disk_mib=row[8],
        idle_stop_seconds=row[9],
        ttl_seconds=row[10],
        created_at=from_ms(row[11]),
        last_activity_at=from_ms(row[12]),
        seed_digest=row[13],
        seed_report=row[14],
        top_layer=row[15],
        at_snapshot=row[16],
        network=NetworkSettings(
            policy=row[17], allow_hosts=tuple(json.loads(row[18])), host_ca=bool(row[19])
        ),
    )
