"""Read what a command wrote, from where it is kept: needs no machine."""

from __future__ import annotations

from collections.abc import Sequence

from pyro_mcp.models.run import StreamName
from pyro_mcp.models.workspace import OutputText
from pyro_mcp.workspaces.outputs.search import Match
from pyro_mcp.workspaces.outputs.store import STREAMS, OutputStore
from pyro_mcp.workspaces.session import Sessions

_MOST_MATCHES = 100


def read_output(
    sessions: Sessions,
    reference: str,
    output_id: str,
    *,
    stream: StreamName,
    offset: int,
    limit: int,
    tail_lines: int | None,
    grep: str | None,
) -> OutputText:
    """Give a page, the last lines, or the lines that match: the first, or with `tail_lines` the last so many."""
    store = sessions.directories.outputs(sessions.record(reference).id)
    if grep is not None:
        return _matching(store, output_id, stream, grep, tail_lines, limit)
    if tail_lines is not None:
        part = store.tail(output_id, stream, lines=tail_lines, limit=limit)
    else:
        part = store.read(output_id, stream, offset=offset, limit=limit)
    more = part.next_offset if part.next_offset < part.size else None
    text = part.data.decode(errors="replace")
    return OutputText(
        output_id=output_id, stream=stream, text=text, offset=part.offset, next_offset=more, size=part.size
    )


def _matching(
    store: OutputStore, output_id: str, stream: StreamName, grep: str, tail_lines: int | None, limit: int
) -> OutputText:
    from_end = tail_lines is not None
    found = store.grep(output_id, stream, grep, limit=tail_lines or _MOST_MATCHES, from_end=from_end)
    shown = _within(found.matches, limit, from_end=from_end)
    other = None
    if not found.matches and not found.gave_up:
        (beside,) = (name for name in STREAMS if name != stream)
        elsewhere = store.grep(output_id, beside, grep, limit=1)
        other = elsewhere.total if elsewhere.total is not None else len(elsewhere.matches)
    return OutputText(
        output_id=output_id,
        stream=stream,
        text="\n".join(shown),
        offset=0,
        next_offset=None,
        size=store.size(output_id, stream),
        matches=len(shown),
        total_matches=found.total,
        other_matches=other,
        from_end=from_end,
        gave_up=found.gave_up,
    )


def _within(matches: Sequence[Match], limit: int, *, from_end: bool) -> list[str]:
    """As many of the lines as `limit` bytes hold, from one end; at least one."""
    lines = [f"{match.line}: {match.text}" for match in matches]
    room, count = limit, 0
    for line in reversed(lines) if from_end else lines:
        room -= len(line.encode()) + 1
        if room < 0 and count:
            break
        count += 1
    return lines[len(lines) - count :] if from_end else lines[:count]
