"""Read what a service wrote: from a cursor on, its last lines, or the lines that match. Needs no machine."""

from __future__ import annotations

from pathlib import Path

from pyro_mcp.keeper.services.log import piece_path, pieces, read_pieces
from pyro_mcp.models.service import ServiceLogs
from pyro_mcp.workspaces.outputs.search import search
from pyro_mcp.workspaces.outputs.store import last_lines, whole_characters
from pyro_mcp.workspaces.services.state import directory_of, find_service
from pyro_mcp.workspaces.session import Sessions

_MOST_MATCHES = 100


def service_logs(
    sessions: Sessions,
    reference: str,
    name: str,
    *,
    tail_lines: int,
    cursor: int | None,
    grep: str | None,
    limit: int,
) -> ServiceLogs:
    """Give a part of the log of a service's last start, as of now."""
    record = sessions.record(reference)
    directory = directory_of(sessions, find_service(sessions, record.id, name))
    first, size = _extent(directory)
    if grep is not None:
        return _matching(directory, name, grep, max(first, cursor or 0), size)
    if cursor is None:
        return _tail(directory, name, tail_lines, first, size, limit)
    start = min(max(cursor, first), size)
    data = b"".join(read_pieces(directory, start, min(limit, size - start)))
    if start + len(data) < size:
        data = whole_characters(data) or data
    return _part(name, data, start, size, dropped=max(0, first - cursor))


def _extent(directory: Path) -> tuple[int, int]:
    """Where the log that is there begins and ends."""
    there = pieces(directory)
    if not there:
        return 0, 0
    try:
        return there[0], there[-1] + piece_path(directory, there[-1]).stat().st_size
    except FileNotFoundError:
        return 0, 0  # a new start has just taken its place


def _tail(directory: Path, name: str, lines: int, first: int, size: int, limit: int) -> ServiceLogs:
    start = max(first, size - limit)
    data = b"".join(read_pieces(directory, start, size - start))
    keep = last_lines(data, lines, from_line_start=start == first)
    return _part(name, data[keep:], start + keep, size)


def _part(name: str, data: bytes, start: int, size: int, dropped: int = 0) -> ServiceLogs:
    text = data.decode(errors="replace")
    return ServiceLogs(
        service=name, text=text, cursor=start, next_cursor=start + len(data), size=size, dropped_bytes=dropped
    )


def _matching(directory: Path, name: str, pattern: str, start: int, size: int) -> ServiceLogs:
    """The first lines that match, each with where it begins: a cursor to go on from."""
    lines: list[str] = []
    total: int | None = 0
    for begin in pieces(directory):
        found = search(piece_path(directory, begin), pattern, _MOST_MATCHES, start=max(start - begin, 0))
        lines += [f"{begin + match.offset}: {match.text}" for match in found.matches]
        total = None if total is None or found.total is None else total + found.total
        if total is None and len(lines) >= _MOST_MATCHES:
            break
    lines = lines[:_MOST_MATCHES]
    return ServiceLogs(
        service=name,
        text="\n".join(lines),
        cursor=start,
        next_cursor=size,
        size=size,
        matches=len(lines),
        total_matches=total,
    )
