"""Replace exact text in one file: every edit as asked, or none."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pyro_mcp.errors import Conflict, InvalidRequest
from pyro_mcp.models.edit import Edit, EditReport, Replacement
from pyro_mcp.workspaces.text.describe import describe_near
from pyro_mcp.workspaces.text.nearest import nearest_matches

_TOLD = 20  # line numbers in an error
_COUNTED = 1_000  # places beyond those asked for that are looked for
_LOCATED = 1_000  # replacements whose lines are told
_WIDE = (b"\xff\xfe", b"\xfe\xff")
_NUMBERED = re.compile(rb"^ *\d+(?:\t|: ?|\| ?|\xe2\x86\x92)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class EditPlan:
    """The new content, and where it changed."""

    content: bytes
    report: EditReport


@dataclass(slots=True)
class _Spot:
    """Where the text that an edit put in is now."""

    edit: int
    start: int
    end: int


def plan_edits(content: bytes, edits: Sequence[Edit]) -> EditPlan:
    """Make all edits, one after the other, each on what those before it left; every other byte stays as it is.

    Raise Conflict, with the nearest lines or the candidates, for text that is not there exactly as often as asked.
    """
    if not edits:
        raise InvalidRequest("there is nothing to replace", hint="Give at least one edit with old and new.")
    original = content
    spots: list[_Spot] = []
    adapted = False
    for number, edit in enumerate(edits, 1):
        old, new = _encode(edit, number)
        places = _find_all(content, old, edit.count)
        if not places and b"\r\n" in content and (crlf := _as_crlf(old)) != old:
            places = _find_all(content, crlf, edit.count)
            if places:
                old, new, adapted = crlf, _as_crlf(new), True
        if not places:
            raise _not_found(content, old, number, before=original)
        _require_count(content, len(old), places, edit.count, number)
        content = _replace(content, places, len(old), new, number, spots)
    replacements = tuple(_locate(content, spots))
    report = EditReport(replacements=replacements, total=len(spots), line_endings_adapted=adapted)
    return EditPlan(content, report)


def _encode(edit: Edit, number: int) -> tuple[bytes, bytes]:
    if not edit.old:
        hint = "To write a whole file, use workspace_file_write."
        raise InvalidRequest(f"edit {number} has no text to find", hint=hint)
    if edit.old == edit.new:
        raise InvalidRequest(f"edit {number} replaces its text by the same text")
    try:
        return edit.old.encode(errors="surrogateescape"), edit.new.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        raise InvalidRequest(f"edit {number} has half of a surrogate pair, which no file can hold") from None


def _find_all(content: bytes, old: bytes, wanted: int) -> list[int]:
    """Find every place, also those that overlap: which of two overlapping ones is meant cannot be told."""
    places: list[int] = []
    at = content.find(old)
    while at >= 0 and len(places) < wanted + _COUNTED:
        places.append(at)
        at = content.find(old, at + 1)
    return places


def _as_crlf(text: bytes) -> bytes:
    return text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _replace(
    content: bytes, places: list[int], size: int, new: bytes, number: int, spots: list[_Spot]
) -> bytes:
    """Put `new` at all places, and keep track of where the replacements so far have moved."""
    pieces = []
    done = 0
    growth = len(new) - size
    for spot in spots:
        before = bisect_left(places, spot.start)
        within = bisect_left(places, spot.end) - before
        spot.start += before * growth
        spot.end = max(spot.start, spot.end + (before + within) * growth)
    for count, at in enumerate(places):
        pieces += [content[done:at], new]
        done = at + size
        start = at + count * growth
        spots.append(_Spot(number, start, start + len(new)))
    return b"".join([*pieces, content[done:]])


def _locate(content: bytes, spots: list[_Spot]) -> Iterator[Replacement]:
    """Say on which lines the replacements are, counting lines once from top to bottom."""
    line, counted = 1, 0
    for spot in sorted(spots, key=lambda spot: (spot.start, spot.edit))[:_LOCATED]:
        line += content.count(b"\n", counted, spot.start)
        counted = max(counted, spot.start)
        last = max(spot.start, min(spot.end, len(content)) - 1)
        yield Replacement(edit=spot.edit, line=line, end_line=line + content.count(b"\n", spot.start, last))


def _require_count(content: bytes, size: int, places: list[int], wanted: int, number: int) -> None:
    apart = all(second - first >= size for first, second in pairwise(places))
    if len(places) == wanted and apart:
        return
    lines = [str(content.count(b"\n", 0, at) + 1) for at in places[:_TOLD]]
    if len(places) > _TOLD:
        lines.append("…")
    all_found = len(places) < wanted + _COUNTED
    many = (
        "once" if len(places) == 1 else f"{len(places)} times" if all_found else f"more than {_COUNTED} times"
    )
    many += "" if apart else ", overlapping"
    hint = "Give more of the lines around it, so that it is unique"
    raise Conflict(
        f"the text of edit {number} is in the file {many}, not {'once' if wanted == 1 else f'{wanted} times'}",
        details=f"found at lines: {', '.join(lines)}",
        hint=hint + (f", or count={len(places)} to replace all." if apart and all_found else "."),
    )


def _not_found(content: bytes, old: bytes, number: int, *, before: bytes) -> Conflict:
    brief = f"the text of edit {number} is not in the file; nothing was changed"
    lines = content.split(b"\n")
    nearest = nearest_matches(lines, _as_lines(old))
    details = "\n".join(line.removeprefix("    ") for near in nearest for line in describe_near(near))
    return Conflict(brief, details=details or None, hint=_hint(content, old, before))


def _as_lines(old: bytes) -> list[bytes]:
    return old.removesuffix(b"\n").split(b"\n")


def _hint(content: bytes, old: bytes, before: bytes) -> str:
    """Say what was most likely meant."""
    if content.startswith(_WIDE):
        return "The file is UTF-16; read it as base64 and write it whole."
    if b"\0" in content[:8000]:
        return "The file is binary; read it as base64 and write it whole."
    bare = _NUMBERED.sub(b"", old)
    if bare != old and bare in content:
        return "Leave out the line numbers that workspace_file_read puts before each line."
    if before is not content and old in before:
        return "An earlier edit of the same call changed it: edits are made in order, each on what those before it left."
    if old.strip() and old.strip() in content:
        return "It is there but for the whitespace at its start or end."
    return "Read the lines again and copy them exactly, whitespace included."
