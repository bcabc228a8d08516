"""Follow the `@@` lines of an envelope: they name what encloses a hunk, outermost first."""

from collections.abc import Sequence

from pyro_mcp.workspaces.text.lines import FileLines

_ANCHORS = 50  # lines that one @@ line may stand for; with more than these it says nothing
_BLOCK = 20_000  # lines that one @@ line can reach


def places_below(anchors: tuple[bytes, ...], places: Sequence[int], file: FileLines) -> list[int] | None:
    """Give those of `places` in the blocks that the anchors open; None when the anchors lead to none of them."""
    starts = find_anchors(anchors, file)
    if not starts:
        return None
    ends = [_block_end(start, file) for start in starts]
    inside = {
        place for place in places for start, end in zip(starts, ends, strict=True) if start <= place < end
    }
    if inside:
        return sorted(inside)
    # Text without blocks: the first place below is what an anchor means.
    after = {next((place for place in places if place >= start), None) for start in starts}
    return sorted(place for place in after if place is not None) or None


def find_anchors(anchors: tuple[bytes, ...], file: FileLines) -> list[int]:
    """Find the innermost anchor, each one inside the one before if it is there, else below it."""
    blocks = [(-1, len(file.lines))]
    for anchor in anchors:
        numbers = [number for number, line in enumerate(file.lines) if line.strip() == anchor][:_ANCHORS]
        nested = {number for number in numbers for start, end in blocks if start < number < end}
        starts = sorted(nested) or [number for number in numbers if number > blocks[0][0]]
        if not starts:
            return []
        blocks = [(start, _block_end(start, file)) for start in starts]
    return [start for start, _ in blocks]


def _block_end(start: int, file: FileLines) -> int:
    """Find the end of what is indented more than line `start`."""
    depth = _depth(file.lines[start])
    last = min(len(file.lines), start + _BLOCK)
    for at in range(start + 1, last):
        line = file.lines[at]
        if line.strip() and _depth(line) <= depth and line.strip() not in (b"{", b"(", b"):"):
            return at
    return last


def _depth(line: bytes) -> int:
    return len(line) - len(line.lstrip())
