"""Read a terminal: the lines that have changed since a position of its stream, or the screen as it stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pyro_mcp.terminal.rows import Line
from pyro_mcp.terminal.screen import Screen

# No screen is higher.
_MOST_ROWS = 500


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read. `next` is the position to go on from; `dropped` says that something before it is not kept any more,
    `skipped` that the oldest of it was left out.
    """

    text: str
    next: int
    dropped: bool = False
    truncated: bool = False
    skipped: bool = False


def newest_lines(screen: Screen, position: int, end: int, most: int) -> Reading:
    """Give the lines that were written or changed after `position`, each once and as it stands now; of too many, the last."""
    fresh, dropped = _fresh(screen, position)
    first, room = len(fresh), most + 1
    while first and (room := room - len(fresh[first - 1].text) - 1) >= 0:
        first -= 1
    chosen = fresh[min(first, len(fresh) - 1) :] if fresh else []
    text = _short("\n".join(line.text for line in chosen), most)
    return Reading(text, end, dropped, skipped=len(chosen) < len(fresh))


def lines_since(screen: Screen, position: int, end: int, most: int) -> Reading:
    """Give the same from the other end: of too many, those that changed first, and `next` leads on to the others."""
    fresh, dropped = _fresh(screen, position)
    chosen, after = _oldest(fresh, most)
    if after is None:
        text = "\n".join(line.text for line in fresh)
        return Reading(_short(text, most), end, dropped, truncated=len(text) > most)
    return Reading(_short("\n".join(line.text for line in chosen), most), after, dropped, truncated=True)


def _fresh(screen: Screen, position: int) -> tuple[list[Line], bool]:
    fresh = [line for line in joined(reversed(list(_back_to(screen, position)))) if line.stamp > position]
    return fresh, screen.history.forgotten > position


def _back_to(screen: Screen, position: int) -> Iterator[Line]:
    """Give the rows from the last to where none can be newer than `position`: only on the screen does a row change, so no
    newer one stands above as many older ones as a screen has rows.
    """
    older = 0
    for line in _from_the_last(screen):
        older = 0 if line.stamp > position else older + bool(line.stamp)
        if older > _MOST_ROWS and not line.wrapped:
            return
        yield line


def joined(lines: Iterable[Line]) -> Iterator[Line]:
    """Put the rows of each line that was too long for the screen together again."""
    parts: list[str] = []
    stamp = 0
    for line in lines:
        parts.append(line.text)
        stamp = max(stamp, line.stamp)
        if not line.wrapped:
            yield Line("".join(parts), stamp, wrapped=False)
            parts, stamp = [], 0
    if parts:
        yield Line("".join(parts), stamp, wrapped=False)


def _from_the_last(screen: Screen) -> Iterator[Line]:
    for number, row in reversed(list(enumerate(screen.main.rows))):
        line = row.line()
        if number == screen.main.y and len(line.text) < screen.main.x:
            line = line._replace(
                text="".join(row.cells[: screen.main.x])
            )  # the blank after a prompt is part of it
        yield line
    yield from reversed(screen.history)


def _oldest(fresh: list[Line], most: int) -> tuple[list[Line], int | None]:
    """Choose as many lines as there is room for, by when they changed; None where all have room."""
    total = sum(len(line.text) + 1 for line in fresh)
    if total <= most + 1:
        return fresh, None
    room, last = most, 0
    for line in sorted(fresh, key=lambda line: line.stamp):
        room -= len(line.text) + 1
        if room < 0 and last and line.stamp > last:
            return [found for found in fresh if found.stamp <= last], last
        last = line.stamp
    return fresh, None


def _short(text: str, most: int) -> str:
    """Cut the middle of a single line that is longer than everything may be."""
    if len(text) <= most:
        return text
    return f"{text[: most // 2]}[... {len(text) - most} characters cut ...]{text[len(text) - most + most // 2 :]}"
