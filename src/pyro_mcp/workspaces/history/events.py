"""The history of a workspace: what was done, when, for how long, and how it ended; kept on the host, out of the guest's reach.

Every event carries the hash of the one before it, so that damage and gaps show. That is evidence against accidents and against
the guest; whoever owns the database can forge the whole chain.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pyro_mcp.models.events import WorkspaceEvent
from pyro_mcp.workspaces.registry.database import Change, Reading, Row
from pyro_mcp.workspaces.registry.times import from_ms, now_ms, to_ms

# JSON. An event says what happened; what it printed is in the output store, what it changed is in the diff.
_LONGEST_DATA = 8 * 1024
_LONGEST_TEXT = 1024
_MOST_ITEMS = 50
_DEEPEST = 4
_PAGE = 500  # rows verified at a time, so that a long history takes no memory

Json = str | int | float | bool | None | Sequence["Json"] | Mapping[str, "Json"]
Redactor = Callable[[str], str]


@dataclass(frozen=True)
class Event:
    """One thing that happened. `sequence` counts from 1 without a gap; `data` is JSON, bounded; hashes are hex SHA-256."""

    sequence: int
    at: datetime
    kind: str
    outcome: str
    duration_ms: int | None
    data: str
    previous: str
    hash: str


@dataclass(frozen=True)
class EventPage:
    """Some events in the order they happened, and the `sequence` after which there is more (None: that is all)."""

    events: tuple[Event, ...]
    next_after: int | None


@dataclass(frozen=True)
class ChainFault:
    """Where the chain does not hold: the first sequence number concerned, and what is wrong there."""

    sequence: int
    problem: str


def nothing_secret(text: str) -> str:
    """Redact nothing."""
    return text


def append(
    change: Change,
    workspace_id: str,
    kind: str,
    *,
    outcome: str = "done",
    duration_ms: int | None = None,
    data: Mapping[str, Json] | None = None,
    redact: Redactor = nothing_secret,
    at: int | None = None,
) -> Event:
    """Add an event to a workspace's history, within the transaction that it belongs to.

    `redact` sees every text of `data` before anything is cut, hashed or written; long data are cut and say so. `at` is when it
    happened (ms since the epoch) where that was not just now.
    """
    row = change.row("SELECT sequence, hash FROM event_heads WHERE workspace_id = ?", (workspace_id,))
    sequence, previous = (row[0] + 1, row[1]) if row else (1, _origin(workspace_id))
    at, text = now_ms() if at is None else at, encode_data(data or {}, redact)
    digest = _hash(previous, sequence, at, kind, outcome, duration_ms, text)
    change.run(
        "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (workspace_id, sequence, at, kind, outcome, duration_ms, text, previous, digest),
    )
    change.run(
        "INSERT INTO event_heads VALUES (?, ?, ?) "
        "ON CONFLICT (workspace_id) DO UPDATE SET sequence = excluded.sequence, hash = excluded.hash",
        (workspace_id, sequence, digest),
    )
    return Event(sequence, from_ms(at), kind, outcome, duration_ms, text, previous, digest)


def page(
    reading: Reading,
    workspace_id: str,
    *,
    after: int = 0,
    since: datetime | None = None,
    kind: str | None = None,
    limit: int = 100,
) -> EventPage:
    """Give events oldest first: those after number `after`, not before `since`, of one kind (`file` has `file.edit` in it)."""
    rows = reading.rows(
        f"{_SELECT} WHERE workspace_id = ? AND sequence > ? AND at >= ? AND {_OF_KIND} ORDER BY sequence LIMIT ?",
        (workspace_id, after, to_ms(since) if since else 0, *_kind(kind), limit + 1),
    )
    events = tuple(map(_event, rows[:limit]))
    return EventPage(events, events[-1].sequence if len(rows) > limit and events else None)


def latest(
    reading: Reading,
    workspace_id: str,
    *,
    since: datetime | None = None,
    kind: str | None = None,
    limit: int = 100,
    without: Collection[str] = (),
) -> tuple[Event, ...]:
    """Give the newest `limit` events that are of none of the kinds `without`, the oldest of them first."""
    left_out = "".join(f" AND NOT {_OF_KIND}" for _ in without)
    rows = reading.rows(
        f"{_SELECT} WHERE workspace_id = ? AND at >= ? AND {_OF_KIND}{left_out} ORDER BY sequence DESC LIMIT ?",
        (
            workspace_id,
            to_ms(since) if since else 0,
            *_kind(kind),
            *(value for name in without for value in _kind(name)),
            limit,
        ),
    )
    return tuple(map(_event, reversed(rows)))


def verify_chain(reading: Reading, workspace_id: str) -> tuple[ChainFault, ...]:
    """Tell where a workspace's history was changed, or lacks something, at its end too; nothing when it is whole."""
    faults: list[ChainFault] = []
    expected, previous = 1, _origin(workspace_id)
    while rows := reading.rows(
        f"{_SELECT} WHERE workspace_id = ? AND sequence >= ? ORDER BY sequence LIMIT ?",
        (workspace_id, expected, _PAGE),
    ):
        for event in map(_event, rows):
            faults += _check(event, expected, previous)
            expected, previous = event.sequence + 1, event.hash
    head = reading.row("SELECT sequence, hash FROM event_heads WHERE workspace_id = ?", (workspace_id,))
    known, hash_known = (head[0], head[1]) if head else (0, _origin(workspace_id))
    if known >= expected:
        faults.append(ChainFault(expected, f"events {expected} to {known} are missing"))
    elif (known, hash_known) != (expected - 1, previous):
        faults.append(ChainFault(expected - 1, "the last event is not the one that was last added"))
    return tuple(faults)


def shown(event: Event) -> WorkspaceEvent:
    """Give an event as callers see it."""
    return WorkspaceEvent(
        sequence=event.sequence,
        at=event.at,
        kind=event.kind,
        outcome=event.outcome,
        duration_ms=event.duration_ms,
        data=json.loads(event.data),
        hash=event.hash,
    )


def _check(event: Event, expected: int, previous: str) -> list[ChainFault]:
    faults = []
    if event.sequence != expected:
        faults.append(ChainFault(expected, f"events {expected} to {event.sequence - 1} are missing"))
    elif event.previous != previous:
        faults.append(ChainFault(event.sequence, "it does not follow the event before it"))
    content = (event.kind, event.outcome, event.duration_ms, event.data)
    if event.hash != _hash(event.previous, event.sequence, to_ms(event.at), *content):
        faults.append(ChainFault(event.sequence, "its content was changed"))
    return faults


def encode_data(data: Mapping[str, Json], redact: Redactor) -> str:
    """Give the data as JSON, redacted and within bounds."""
    whole = json.dumps(_bounded(data, redact, _DEEPEST), ensure_ascii=False, separators=(",", ":"))
    whole = whole.encode(errors="backslashreplace").decode()
    if len(whole.encode()) <= _LONGEST_DATA:
        return whole
    kept: dict[str, Json] = {"cut": f"{len(whole.encode())} bytes of data did not fit"}
    for key, value in json.loads(whole).items():
        more = {**kept, key: value}
        if len(json.dumps(more).encode()) <= _LONGEST_DATA:
            kept = more
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":"))


def _bounded(value: Json, redact: Redactor, depth: int) -> Json:
    if isinstance(value, str):
        clean = redact(value)
        return clean if len(clean) <= _LONGEST_TEXT else f"{clean[:_LONGEST_TEXT]}… ({len(clean)} characters)"
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth == 0:
        return "…"
    if isinstance(value, Mapping):
        items = list(value.items())
        found: dict[str, Json] = {
            redact(key): _bounded(item, redact, depth - 1) for key, item in items[:_MOST_ITEMS]
        }
        return found if len(items) <= _MOST_ITEMS else {**found, "…": f"{len(items) - _MOST_ITEMS} more"}
    listed = [_bounded(item, redact, depth - 1) for item in value[:_MOST_ITEMS]]
    return listed if len(value) <= _MOST_ITEMS else [*listed, f"… {len(value) - _MOST_ITEMS} more"]


def _origin(workspace_id: str) -> str:
    """What the first event follows: a chain moved to another workspace does not fit there."""
    return hashlib.sha256(f"pyro events of {workspace_id}".encode()).hexdigest()


def _hash(
    previous: str, sequence: int, at: int, kind: str, outcome: str, duration_ms: int | None, data: str
) -> str:
    content = json.dumps([previous, sequence, at, kind, outcome, duration_ms, data], separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()


_SELECT = "SELECT sequence, at, kind, outcome, duration_ms, data, previous, hash FROM events"
_OF_KIND = "(? IS NULL OR kind = ? OR substr(kind, 1, length(?) + 1) = ? || '.')"


def _kind(kind: str | None) -> tuple[str | None, ...]:
    return (kind, kind, kind, kind)


def _event(row: Row) -> Event:
    return Event(row[0], from_ms(row[1]), *row[2:])
