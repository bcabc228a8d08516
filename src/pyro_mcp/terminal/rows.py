"""A row of the screen, and the lines that have left it at the top."""

from __future__ import annotations

import unicodedata
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

# Combining characters on one cell; a guest could pile up any number of them.
_MOST_COMBINED = 8


class Row:
    """The cells of one row. `stamp` is the stream's position at the last change, 0 while nothing was ever written in it."""

    __slots__ = ("cells", "stamp", "wide", "wrapped")

    def __init__(self, columns: int) -> None:
        self.cells = [" "] * columns
        self.stamp = 0
        self.wrapped = False  # it goes on in the next row: together they are one line
        self.wide = False  # it may hold a character of two cells; the second of them is ""

    def put(self, column: int, text: str, stamp: int) -> None:
        """Write characters of one cell each; what is there already is no change."""
        end = column + len(text)
        if self.wide:
            self._split(column)
            self._split(end)
        if self.cells[column:end] != list(text):
            self.cells[column:end] = text
            self.stamp = stamp

    def put_wide(self, column: int, character: str, stamp: int) -> None:
        """Write a character of two cells."""
        self._split(column)
        self._split(column + 2)
        self.cells[column : column + 2] = [character, ""]
        self.wide = True
        self.stamp = stamp

    def combine(self, column: int, mark: str, stamp: int) -> None:
        """Add a combining character to what stands at a column."""
        if self.cells[column] == "" and column:
            column -= 1
        if len(self.cells[column]) < _MOST_COMBINED:
            self.cells[column] = unicodedata.normalize("NFC", self.cells[column] + mark)
            self.stamp = stamp

    def erase(self, start: int, end: int, stamp: int) -> None:
        """Make cells blank; a row that is all blank is as if it had never been written."""
        if self.wide:
            self._split(start)
            self._split(end)
        if any(cell != " " for cell in self.cells[start:end]):
            self.cells[start:end] = [" "] * (end - start)
            self.stamp = stamp
        if end >= len(self.cells):
            self.wrapped = False
            if self.stamp and not self.text():
                self.stamp = 0

    def insert(self, column: int, count: int, stamp: int) -> None:
        """Shift the rest of the row to the right."""
        if self.wide:
            self._split(column)
        columns = len(self.cells)
        self.cells[column:column] = [" "] * count
        self._cut(columns)
        self.stamp = stamp

    def delete(self, column: int, count: int, stamp: int) -> None:
        """Shift the rest of the row to the left."""
        columns = len(self.cells)
        if self.wide:
            self._split(column)
            self._split(min(column + count, columns))
        if any(cell != " " for cell in self.cells[column:]):
            self.stamp = stamp
        del self.cells[column : column + count]
        self.cells += [" "] * (columns - len(self.cells))

    def resize(self, columns: int) -> None:
        """Cut or fill at the right."""
        self.cells += [" "] * (columns - len(self.cells))
        self._cut(columns)

    def text(self) -> str:
        """Give what stands there, without the blanks at its end."""
        return "".join(self.cells).rstrip(" ")

    def line(self) -> Line:
        """Give it as what it is once it has left the screen."""
        text = "".join(self.cells)
        return Line(text if self.wrapped else text.rstrip(" "), self.stamp, self.wrapped)

    def _cut(self, columns: int) -> None:
        if self.wide and columns < len(self.cells):
            self._split(columns)
        del self.cells[columns:]

    def _split(self, column: int) -> None:
        """Make blanks of a wide character whose halves are about to be parted."""
        if 0 < column < len(self.cells) and self.cells[column] == "":
            self.cells[column - 1] = self.cells[column] = " "


class Line(NamedTuple):
    """A row that will not change any more."""

    text: str
    stamp: int
    wrapped: bool


class History:
    """What has left the screen at the top, as much as there is room for."""

    # A line costs some 100 bytes beside its text.
    MOST_LINES = 20_000
    MOST_CHARACTERS = 2 << 20

    def __init__(self) -> None:
        self._lines: deque[Line] = deque()
        self._characters = 0
        self.forgotten = 0  # the newest stamp of what there was no room for any more

    def add(self, line: Line) -> None:
        """Take the next line."""
        self._lines.append(line)
        self._characters += len(line.text)
        while len(self._lines) > self.MOST_LINES or self._characters > self.MOST_CHARACTERS:
            dropped = self._lines.popleft()
            self._characters -= len(dropped.text)
            self.forgotten = max(self.forgotten, dropped.stamp)

    def __iter__(self) -> Iterator[Line]:
        return iter(self._lines)

    def __reversed__(self) -> Iterator[Line]:
        return reversed(self._lines)
