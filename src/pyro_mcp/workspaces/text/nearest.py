"""Find the place that somebody probably meant, and say what differs there.

The cost is bounded whatever the file: exact matches of single lines vote for a place first, by dictionary; only without any
is a bounded number of lines compared letter by letter.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from pyro_mcp.models.nearest import Difference, LineDifference, NearMatch

_LINES_INDEXED = 200_000  # of the file: about 0.1 s
_LINES_WANTED = 200  # of the text looked for: enough to know a place by
_VOTES_PER_LINE = 50  # a line as common as this tells nothing about the place
_AROUND = 2  # lines on either side of a place that may belong to it: one side may have a line more
_PLACES = 6  # looked at more closely
_COMPARED = 60  # lines compared letter by letter, some 0.1 ms each
_SHOWN = 12  # lines and differences in an answer
_WIDTH = 200  # characters of a line in an answer
_QUOTES = str.maketrans(
    {"“": '"', "”": '"', "‘": "'", "’": "'", "'": '"', "`": '"', "–": "-", "—": "-", "\u00a0": " "}
)
_WORD = re.compile(rb"\w{1,40}")


def nearest_matches(
    lines: Sequence[bytes], wanted: Sequence[bytes], *, expected: int | None = None, limit: int = 2
) -> tuple[NearMatch, ...]:
    """Give the places most like `wanted`, best first; ties go to the one nearest the `expected` index."""
    wanted = wanted[:_LINES_WANTED]
    if not lines or not any(line.strip() for line in wanted):
        return ()
    places = _vote(lines, wanted, expected) or _resemble(lines, wanted, expected)
    rated = [(_similarity(lines, wanted, place), place) for place in places]
    rated.sort(key=lambda one: (-one[0], abs(one[1] - (expected or 0)), one[1]))
    chosen = [(rate, place) for rate, place in rated if rate >= max(0.3, rated[0][0] * 0.8)]
    apart = [
        one
        for at, one in enumerate(chosen)
        if all(abs(one[1] - other[1]) >= len(wanted) for other in chosen[:at])
    ]
    return tuple(_describe(lines, wanted, place, rate) for rate, place in apart[:limit])


def _vote(lines: Sequence[bytes], wanted: Sequence[bytes], expected: int | None) -> list[int]:
    """Let each wanted line that is in the file, indentation aside, vote for the place it implies; rare ones weigh more."""
    wanted_at = defaultdict(list)
    for at, line in enumerate(wanted):
        if text := line.strip():
            wanted_at[text].append(at)
    seen: dict[bytes, list[int]] = defaultdict(list)
    for number, line in enumerate(lines[:_LINES_INDEXED]):
        text = line.strip()
        if text in wanted_at and len(seen[text]) <= _VOTES_PER_LINE:
            seen[text].append(number)
    votes: Counter[int] = Counter()
    for text, numbers in seen.items():
        if len(numbers) <= _VOTES_PER_LINE:
            for at in wanted_at[text][:8]:
                for number in numbers:
                    votes[max(number - at, 0)] += (1_000 + 10 * min(len(text), 80)) // len(numbers)
    return sorted(votes, key=lambda place: (-votes[place], abs(place - (expected or 0))))[:_PLACES]


def _resemble(lines: Sequence[bytes], wanted: Sequence[bytes], expected: int | None) -> list[int]:
    """With no line in common, look for lines that share words with the most telling wanted one."""
    at = max(range(len(wanted)), key=lambda index: len(wanted[index].strip()))
    key = wanted[at][:_WIDTH]
    words = _words(key)
    if words:
        scored = (
            (len(words & _words(line[:_WIDTH])), number) for number, line in enumerate(lines[:_LINES_INDEXED])
        )
        near = sorted(
            (one for one in scored if one[0]), key=lambda one: (-one[0], abs(one[1] - (expected or 0)))
        )[:_COMPARED]
    else:
        near = []
    matcher = SequenceMatcher(None, autojunk=False)
    matcher.set_seq2(_text(key))
    rated = []
    for _, number in near:
        matcher.set_seq1(_text(lines[number]))
        rated.append((matcher.ratio(), number))
    rated.sort(reverse=True)
    return [max(number - at, 0) for _, number in rated[:4]]


def _words(line: bytes) -> set[bytes]:
    return set(_WORD.findall(line.lower()))


def _similarity(lines: Sequence[bytes], wanted: Sequence[bytes], place: int) -> float:
    """Rate a place: lines that are the same count 1, others by their letters, the first few at least."""
    total = 0.0
    compared = 0
    there = lines[place : place + len(wanted)]
    for mine, theirs in zip(wanted, there, strict=False):
        if mine.strip() == theirs.strip():
            total += 1.0 if mine == theirs else 0.95
        elif compared < _SHOWN:
            compared += 1
            total += SequenceMatcher(None, _text(mine), _text(theirs), autojunk=False).ratio() * 0.9
    return total / len(wanted)


def _describe(lines: Sequence[bytes], wanted: Sequence[bytes], place: int, rate: float) -> NearMatch:
    first, blocks = _align(lines, wanted, place)
    used = [block for block in blocks if block.theirs]
    start = first + (used[0].at if used else place - first)
    end = first + (used[-1].at + len(used[-1].theirs) if used else place - first)
    differences = [one for block in blocks for one in _differences(block, first)]
    return NearMatch(
        start_line=start + 1,
        end_line=end,
        similarity=round(rate, 2),
        lines=tuple(_text(line) for line in lines[start : min(end, start + _SHOWN)]),
        differences=tuple(differences[:_SHOWN]),
    )


@dataclass(slots=True)
class _Block:
    """Lines of the file, from index `at` of the window on, and the wanted lines that correspond to them."""

    at: int
    theirs: Sequence[bytes]
    mine: Sequence[bytes]


def _align(lines: Sequence[bytes], wanted: Sequence[bytes], place: int) -> tuple[int, list[_Block]]:
    """Pair what both sides have; give the blocks and the index of the line that they count from.

    Some lines more are looked at, below and where the first wanted one has no match above, too.
    """
    blocks = _pair(lines[place : place + len(wanted) + _AROUND], wanted)
    if len(blocks) == 1:  # nothing in common, or all
        return place, [_Block(0, lines[place : place + len(wanted)], wanted)]
    if place and blocks[0].theirs != blocks[0].mine:
        first = max(place - _AROUND, 0)
        wider = _pair(lines[first : place + len(wanted) + _AROUND], wanted)
        if _in_common(wider) > _in_common(blocks):
            return first, wider
    return place, blocks


def _pair(window: Sequence[bytes], wanted: Sequence[bytes]) -> list[_Block]:
    """Pair equal lines, indentation aside, and what is between; what the window has before and after is none of it."""
    matcher = SequenceMatcher(
        None, [line.strip() for line in window], [line.strip() for line in wanted], autojunk=False
    )
    blocks = [_Block(a, window[a:b], wanted[c:d]) for _tag, a, b, c, d in matcher.get_opcodes()]
    first, last = blocks[0], blocks[-1]
    surplus = max(len(first.theirs) - len(first.mine), 0)
    first.at, first.theirs = first.at + surplus, first.theirs[surplus:]
    last.theirs = last.theirs[: len(last.mine)]
    return blocks


def _in_common(blocks: Sequence[_Block]) -> int:
    """Count the lines that have a partner which is the same, indentation aside."""
    pairs = [pair for block in blocks for pair in zip(block.theirs, block.mine, strict=False)]
    return sum(theirs.strip() == mine.strip() for theirs, mine in pairs)


def _differences(block: _Block, first: int) -> Iterator[LineDifference]:
    """Tell line by line how the two sides of a block differ."""
    number = first + block.at + 1
    paired = min(len(block.theirs), len(block.mine))
    for step in range(paired):
        mine, theirs = block.mine[step], block.theirs[step]
        if mine != theirs:
            kind = name_difference(mine, theirs)
            yield LineDifference(line=number + step, difference=kind, wanted=_text(mine), file=_text(theirs))
    for step, line in enumerate(block.theirs[paired:], paired):
        yield LineDifference(line=number + step, difference="only_file", wanted=None, file=_text(line))
    for line in block.mine[paired:]:
        yield LineDifference(line=None, difference="only_wanted", wanted=_text(line), file=None)


def name_difference(wanted: bytes, there: bytes) -> Difference:
    """Say in one word what keeps two lines from being the same."""
    if wanted.removesuffix(b"\r") == there.removesuffix(b"\r"):
        return "line_ending"
    if wanted.rstrip() == there.rstrip():
        return "trailing_whitespace"
    if wanted.strip() == there.strip():
        return "indentation"
    if wanted.split() == there.split() or b"".join(wanted.split()) == b"".join(there.split()):
        return "whitespace"
    mine, theirs = (line.decode(errors="replace").strip().translate(_QUOTES) for line in (wanted, there))
    if mine == theirs:
        return "quotes"
    return "case" if mine.lower() == theirs.lower() else "text"


def _text(line: bytes) -> str:
    text = line[: 4 * _WIDTH].decode(errors="backslashreplace")
    return text if len(text) <= _WIDTH and len(line) <= 4 * _WIDTH else text[:_WIDTH] + "…"
