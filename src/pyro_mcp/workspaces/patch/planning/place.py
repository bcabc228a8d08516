"""Find where the hunks of one file belong.

A hunk goes where its old lines stand. Where they stand more than once, the line number decides when it is exact (or off
by as much as a neighbour's), then the neighbours between which it must lie. What is still open is refused, never guessed.
"""

from dataclasses import dataclass, field

from pyro_mcp.workspaces.patch.planning.anchors import find_anchors, places_below
from pyro_mcp.workspaces.patch.reading.document import Hunk
from pyro_mcp.workspaces.text.lines import FileLines, Looseness

_CANDIDATES = 200  # places remembered for one hunk; with more than these its text says nothing
_NEIGHBOURS = 50  # hunks looked at on either side for one that is decided


@dataclass(frozen=True, slots=True)
class Place:
    """Where a hunk fits: an index into the old file's lines, and what had to be forgiven."""

    at: int
    looseness: Looseness = Looseness.EXACT
    out_of_order: bool = False
    anchor_missing: bool = False
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Misfit:
    """Why a hunk fits nowhere, or in too many places."""

    reason: str
    candidates: tuple[int, ...] = ()


@dataclass(slots=True)
class _Search:
    """One hunk on its way to a place."""

    hunk: Hunk
    old: list[bytes]
    looseness: Looseness = Looseness.EXACT
    places: list[int] = field(default_factory=list)
    anchor_missing: bool = False
    outcome: Place | Misfit | None = None


def place_hunks(hunks: tuple[Hunk, ...], file: FileLines, *, base_proven: bool) -> list[Place | Misfit]:
    """Find the place of each hunk, or say why there is none.

    `base_proven` says that the file is, by its hash, the very one the patch was made from: then line numbers are the truth.
    """
    searches = [_search(hunk, file, base_proven=base_proven) for hunk in hunks]
    while sum(
        _decide_from_neighbours(searches, at) for at, one in enumerate(searches) if one.outcome is None
    ):
        pass  # each round that decides one may help its neighbours
    return _without_overlaps(
        searches, [one.outcome or _leave_open(searches, at) for at, one in enumerate(searches)]
    )


def _without_overlaps(searches: list[_Search], outcomes: list[Place | Misfit]) -> list[Place | Misfit]:
    """Refuse the later of two hunks that want the same lines; what is context to both they may share."""
    placed = [(outcome.at, at) for at, outcome in enumerate(outcomes) if isinstance(outcome, Place)]
    last_end = last_changed = -1
    for start, at in sorted(placed):
        first, last = searches[at].hunk.changed_span()
        if start < last_end and start + first <= last_changed:
            outcomes[at] = Misfit("another hunk changes the same lines", (start,))
        else:
            last_end, last_changed = max(last_end, start + len(searches[at].old)), start + last
    return outcomes


def _search(hunk: Hunk, file: FileLines, *, base_proven: bool) -> _Search:
    one = _Search(hunk, hunk.old_lines())
    if not one.old:
        one.outcome = _place_insertion(hunk, file, base_proven=base_proven)
        return one
    if base_proven and hunk.old_start is not None and file.has(one.old, hunk.old_start - 1, Looseness.EXACT):
        one.outcome = Place(hunk.old_start - 1)
        return one
    for looseness in () if file.lacks(one.old) else Looseness:
        places = file.find(one.old, looseness, _CANDIDATES)
        expected = -1 if hunk.old_start is None else hunk.old_start - 1
        if len(places) == _CANDIDATES and expected not in places and file.has(one.old, expected, looseness):
            places.append(expected)
        if places:
            one.places, one.looseness = places, looseness
            break
    if not one.places:
        one.outcome = Misfit("its lines are not in the file")
        return one
    one.places = [place for place in one.places if not _stands_already(one, place, file)]
    if not one.places:
        one.outcome = Misfit("it may have been applied before: the lines that it adds are there")
        return one
    _narrow(one, file)
    return one


def _stands_already(one: _Search, at: int, file: FileLines) -> bool:
    """Tell whether what a hunk adds at its edge is there: its old lines alone would fit as often as it is applied.

    Blank lines alone say nothing.
    """
    head, tail = one.hunk.added_edges()
    return any(
        b"".join(lines).strip() != b"" and file.has(lines, place, Looseness.EXACT)
        for lines, place in ((head, at - len(head)), (tail, at + len(one.old)))
    )


def _narrow(one: _Search, file: FileLines) -> None:
    """Keep the places that the end of the file and the anchors allow."""
    end = len(file.lines) - len(one.old)
    if (one.hunk.at_end or one.hunk.old_open) and end in one.places:
        one.places = [end]
    if one.hunk.anchors:
        below = places_below(one.hunk.anchors, one.places, file)
        one.anchor_missing = below is None
        one.places = one.places if below is None else below


def _place_insertion(hunk: Hunk, file: FileLines, *, base_proven: bool) -> Place | Misfit:
    """Place a hunk of added lines alone: nothing in the file confirms a place, so the patch itself has to be sure."""
    if not file.lines:
        return Place(0)
    if hunk.anchors:
        places = find_anchors(hunk.anchors, file)
        if len(places) == 1:
            return Place(places[0] + 1, note="the lines have no context: put right below the anchor")
        return Misfit(
            "its @@ line is not in the file" if not places else "its @@ line is there more than once",
            tuple(places),
        )
    if hunk.at_end:
        return Place(len(file.lines))
    if base_proven and hunk.old_start is not None and hunk.old_start <= len(file.lines) + 1:
        return Place(hunk.old_start - 1)
    return Misfit(
        'it has no unchanged lines that say where it belongs (in an envelope, "*** End of File" says: at the end)'
    )


def _decide_from_neighbours(searches: list[_Search], index: int) -> bool:
    """Decide one hunk by its line number and by the hunks around it that are decided; tell whether that was enough."""
    one = searches[index]
    neighbours = _neighbours(searches, index)
    inside = _places_between(one, *neighbours)
    likely = inside
    if one.hunk.old_start is not None and len(inside) > 1:
        expected = {one.hunk.old_start - 1 + offset for offset in _offsets(*neighbours)}
        likely = [place for place in inside if place in expected] or inside
    if len(likely) == 1:
        one.outcome = Place(likely[0], one.looseness, anchor_missing=one.anchor_missing)
    elif not inside and len(one.places) == 1 and not _overlaps(searches, one.places[0], len(one.old)):
        one.outcome = Place(
            one.places[0], one.looseness, out_of_order=True, anchor_missing=one.anchor_missing
        )
    return one.outcome is not None


_Decided = tuple[_Search, int] | None
"""A hunk that is decided, and its place."""


def _neighbours(searches: list[_Search], index: int) -> tuple[_Decided, _Decided]:
    """Give the nearest decided hunk before, and the one after."""
    before = _first_decided(searches, range(index - 1, max(index - _NEIGHBOURS, 0) - 1, -1))
    after = _first_decided(searches, range(index + 1, min(index + _NEIGHBOURS, len(searches))))
    return before, after


def _places_between(one: _Search, before: _Decided, after: _Decided) -> list[int]:
    """Give the places after one hunk and before the other; where there are none, those that share only context with them."""
    low = before[1] + len(before[0].old) if before else 0
    high = after[1] if after else float("inf")
    apart = [place for place in one.places if low <= place and place + len(one.old) <= high]
    if apart:
        return apart
    first, last = one.hunk.changed_span()
    low = before[1] + before[0].hunk.changed_span()[1] + 1 if before else 0
    high = after[1] + after[0].hunk.changed_span()[0] if after else float("inf")
    return [place for place in one.places if low <= place + first and place + last < high]


def _offsets(before: _Decided, after: _Decided) -> set[int]:
    """Say by how much the neighbours are off their lines; none at all is always likely."""
    decided = [one for one in (before, after) if one]
    return {at - (one.hunk.old_start - 1) for one, at in decided if one.hunk.old_start is not None} | {0}


def _first_decided(searches: list[_Search], indexes: range) -> _Decided:
    for index in indexes:
        one = searches[index]
        if isinstance(one.outcome, Place) and not one.outcome.out_of_order:
            return one, one.outcome.at
    return None


def _overlaps(searches: list[_Search], at: int, length: int) -> bool:
    placed = [(one.outcome.at, len(one.old)) for one in searches if isinstance(one.outcome, Place)]
    return any(at < start + size and start < at + length for start, size in placed)


def _leave_open(searches: list[_Search], index: int) -> Misfit:
    one = searches[index]
    inside = _places_between(one, *_neighbours(searches, index))
    if not inside:
        return Misfit(
            "its lines are in the file, but only where another hunk changes them", tuple(one.places[:20])
        )
    return Misfit(
        f"its lines are in the file {len(inside)} times, none where the patch says", tuple(inside[:20])
    )
