"""Apply the hunks of one file to its content."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pyro_mcp.models.nearest import NearMatch
from pyro_mcp.models.patch import HunkOutcome, Tolerance
from pyro_mcp.workspaces.patch.planning.place import Misfit, Place, place_hunks
from pyro_mcp.workspaces.patch.reading.document import Hunk
from pyro_mcp.workspaces.text.lines import FileLines, Looseness
from pyro_mcp.workspaces.text.nearest import nearest_matches

_EXPLAINED = 10  # rejected hunks of one file that get their nearest lines: each costs some milliseconds


@dataclass(frozen=True, slots=True)
class Applied:
    """The new content, None when a hunk was rejected, and what became of each hunk."""

    content: bytes | None
    outcomes: tuple[HunkOutcome, ...]


def apply_hunks(content: bytes, hunks: tuple[Hunk, ...], *, base_proven: bool = False) -> Applied:
    """Apply all hunks to `content`, or none."""
    file = FileLines(content)
    places = place_hunks(hunks, file, base_proven=base_proven)
    if (bare := _without_prefix(hunks, places, file)) != hunks:
        hunks, places = bare, place_hunks(bare, file, base_proven=base_proven)
    drifts = _Drift()
    outcomes = []
    for number, (hunk, place) in enumerate(zip(hunks, places, strict=True), 1):
        if isinstance(place, Place):
            outcomes.append(_accept(number, hunk, place, file, drifts))
        else:
            explain = sum(not one.applied for one in outcomes) < _EXPLAINED
            outcomes.append(_reject(number, hunk, place, file, explain=explain))
    fits = [
        (place.at, hunk, place) for hunk, place in zip(hunks, places, strict=True) if isinstance(place, Place)
    ]
    if len(fits) < len(hunks):
        return Applied(None, tuple(outcomes))
    fits.sort(key=lambda fit: fit[0])
    return Applied(_assemble(file, [(hunk, place) for _, hunk, place in fits]), tuple(outcomes))


def _without_prefix(
    hunks: tuple[Hunk, ...], places: Sequence[Place | Misfit], file: FileLines
) -> tuple[Hunk, ...]:
    """Read hunks anew that are nowhere in the file, but would be had their unchanged lines no space before them."""
    return tuple(
        _bare(hunk)
        if isinstance(place, Misfit)
        and not place.candidates
        and hunk.bare
        and not file.lacks(_bare(hunk).old_lines())
        else hunk
        for hunk, place in zip(hunks, places, strict=True)
    )


def _bare(hunk: Hunk) -> Hunk:
    note = Tolerance(kind="line_prefix", detail="unchanged lines lack their leading space")
    return replace(hunk, lines=hunk.bare, bare=(), tolerances=(note,))


@dataclass(slots=True)
class _Drift:
    """How far off the hunks have been so far: said once, not again for each that is off by the same."""

    last: int = 0


def _accept(number: int, hunk: Hunk, place: Place, file: FileLines, drift: _Drift) -> HunkOutcome:
    offset = 0 if hunk.old_start is None else place.at - (hunk.old_start - 1)
    if not file.lines:
        offset = 0
    notes = [*hunk.tolerances, *_place_notes(hunk, place, file)]
    if offset and offset != drift.last:
        notes.append(
            Tolerance(kind="offset", detail=f"found {abs(offset)} lines {'below' if offset > 0 else 'above'}")
        )
    drift.last = offset
    return HunkOutcome(
        hunk=number,
        patch_line=hunk.patch_line,
        applied=True,
        line=place.at + 1,
        offset=offset,
        tolerances=tuple(notes),
    )


def _place_notes(hunk: Hunk, place: Place, file: FileLines) -> list[Tolerance]:
    notes = []
    if place.looseness is Looseness.LINE_ENDINGS:
        notes.append(
            Tolerance(
                kind="line_endings", detail="the patch and the file end their lines differently (LF, CRLF)"
            )
        )
    elif place.looseness is Looseness.TRAILING_WHITESPACE:
        notes.append(
            Tolerance(kind="trailing_whitespace", detail="lines differ in the whitespace at their end")
        )
    if place.out_of_order:
        notes.append(
            Tolerance(kind="hunk_order", detail="it belongs above a hunk that comes before it in the patch")
        )
    if place.anchor_missing:
        notes.append(
            Tolerance(kind="anchor", detail="its @@ line is not in the file; its lines are there once")
        )
    if place.note:
        notes.append(Tolerance(kind="anchor", detail=place.note))
    if _ends_differ(hunk, place, file):
        notes.append(
            Tolerance(
                kind="newline_at_end", detail="the patch and the file differ in the newline at the file's end"
            )
        )
    if hunk.at_end and place.at + len(hunk.old_lines()) != len(file.lines):
        notes.append(
            Tolerance(
                kind="anchor", detail='"*** End of File" is in the patch, but more lines follow in the file'
            )
        )
    return notes


def _ends_differ(hunk: Hunk, place: Place, file: FileLines) -> bool:
    old = hunk.old_lines()
    at_end = bool(old) and place.at + len(old) == len(file.lines)
    return bool(old) and hunk.old_open != (at_end and file.open)


def _reject(number: int, hunk: Hunk, misfit: Misfit, file: FileLines, *, explain: bool) -> HunkOutcome:
    nearest: tuple[NearMatch, ...] = ()
    reason = misfit.reason
    if explain and not misfit.candidates:
        expected = None if hunk.old_start is None else hunk.old_start - 1
        nearest = nearest_matches(file.lines, hunk.old_lines(), expected=expected)
        if (
            hunk.count("+")
            and "applied before" not in reason
            and not file.lacks(hunk.new_lines())
            and file.find(hunk.new_lines(), Looseness.TRAILING_WHITESPACE, 1)
        ):
            reason += "; its result is, so it may have been applied before"
    return HunkOutcome(
        hunk=number,
        patch_line=hunk.patch_line,
        applied=False,
        line=None if hunk.old_start is None else hunk.old_start,
        tolerances=hunk.tolerances,
        reason=reason,
        candidates=tuple(at + 1 for at in misfit.candidates),
        nearest=nearest,
    )


def _assemble(file: FileLines, fits: list[tuple[Hunk, Place]]) -> bytes:
    """Put the new file together: untouched lines and context keep the file's own bytes."""
    lines: list[bytes] = []
    done = 0
    last_is_open = file.open
    for hunk, place in fits:
        first, last = hunk.changed_span()
        lines += file.lines[done : place.at + first]
        done = place.at + first
        carriage = _carriage_return(file, hunk, place)
        changed = hunk.lines[first : len(hunk.lines) - (len(hunk.old_lines()) - last)]
        for op, text in changed:
            if op == "+":
                lines.append(_with_line_end(text, carriage))
            else:
                lines += file.lines[done : done + 1] if op == " " else ()
                done += 1
        if changed and done == len(file.lines):
            last_is_open = hunk.new_open
    lines += file.lines[done:]
    if not lines:
        return b""
    return b"\n".join(lines) + (b"" if last_is_open else b"\n")


def _carriage_return(file: FileLines, hunk: Hunk, place: Place) -> bool | None:
    """Say whether added lines get CR (True) or lose it (False) to be like the lines around; None: as in the patch."""
    size = len(hunk.old_lines())
    if not file.lines or (place.looseness is Looseness.EXACT and (size or hunk.old_start is not None)):
        return None
    ended = len(file.lines) - file.open
    around = file.lines[place.at : min(place.at + size, ended)] or file.lines[:ended]
    return sum(line.endswith(b"\r") for line in around) * 2 > len(around)


def _with_line_end(text: bytes, carriage: bool | None) -> bytes:
    if carriage is None:
        return text
    return text.removesuffix(b"\r") + (b"\r" if carriage else b"")
