"""A file as lines, searchable as exactly or as loosely as asked."""

from collections.abc import Callable
from enum import IntEnum
from functools import cached_property


class Looseness(IntEnum):
    """How much two lines may differ and still be the same; each level forgives what the one before does."""

    EXACT = 0
    LINE_ENDINGS = 1
    TRAILING_WHITESPACE = 2


_REDUCE: dict[Looseness, Callable[[bytes], bytes]] = {
    Looseness.EXACT: lambda line: line,
    Looseness.LINE_ENDINGS: lambda line: line.removesuffix(b"\r"),
    Looseness.TRAILING_WHITESPACE: bytes.rstrip,
}


class FileLines:
    """The lines of one file, without their line feeds."""

    def __init__(self, content: bytes) -> None:
        self.lines = content.split(b"\n")
        self.open = bool(self.lines[-1])
        """The last line has no line feed."""
        if not self.open:
            self.lines.pop()

    @cached_property
    def _reduced(self) -> dict[Looseness, bytes]:
        return {}

    def _text(self, looseness: Looseness) -> bytes:
        """Give the whole file as one string that `bytes.find`, in C and in linear time, can search."""
        if looseness not in self._reduced:
            self._reduced[looseness] = _join(self.lines, looseness)
        return self._reduced[looseness]

    @cached_property
    def _known(self) -> frozenset[bytes]:
        return frozenset(map(bytes.rstrip, self.lines))

    def lacks(self, wanted: list[bytes]) -> bool:
        """Tell whether one of the lines is nowhere in the file: then no search can find them, however loose."""
        return not all(line.rstrip() in self._known for line in wanted)

    def find(self, wanted: list[bytes], looseness: Looseness, limit: int) -> list[int]:
        """Give the indexes, at most `limit`, of the lines where `wanted` begins."""
        text, needle = self._text(looseness), _join(wanted, looseness)
        found: list[int] = []
        at = line = 0
        while len(found) < limit and (place := text.find(needle, at)) >= 0:
            line += text.count(b"\n", at, place + 1)
            found.append(line - 1)
            at = place + 1
        return found

    def has(self, wanted: list[bytes], at: int, looseness: Looseness) -> bool:
        """Tell whether `wanted` stands at one place."""
        if at < 0 or at + len(wanted) > len(self.lines):
            return False
        reduce = _REDUCE[looseness]
        there = self.lines[at : at + len(wanted)]
        return all(reduce(mine) == reduce(theirs) for mine, theirs in zip(wanted, there, strict=True))


def text_lines(text: str) -> list[str]:
    """Part a text at its line feeds, which stay, and nowhere else: as searches, patches and tracebacks count lines.

    `str.splitlines` also parts at form feeds, at U+2028 and at more that no other program takes for the end of a line.
    """
    lines = text.split("\n")
    last = lines.pop()
    return [line + "\n" for line in lines] + ([last] if last else [])


def _join(lines: list[bytes], looseness: Looseness) -> bytes:
    reduced = lines if looseness is Looseness.EXACT else map(_REDUCE[looseness], lines)
    return b"\n" + b"".join(line + b"\n" for line in reduced)
