"""The rows of one screen, its cursor and its scroll region: what every control sequence comes down to."""

from __future__ import annotations

from collections.abc import Callable

from pyro_mcp.terminal.rows import Row


class Grid:
    """A screen of cells. Rows and columns count from 0; `on_scrolled_out` gets what leaves at the top."""

    def __init__(self, columns: int, rows: int, on_scrolled_out: Callable[[Row], None] | None) -> None:
        self.columns, self.height = columns, rows
        self.rows = [Row(columns) for _ in range(rows)]
        self.x = self.y = 0
        self.top, self.bottom = 0, rows - 1
        self.must_wrap = (
            False  # the cursor stands behind the last column: the next character begins a new row
        )
        self._on_scrolled_out = on_scrolled_out

    # -- the cursor -------------------------------------------------------------------------------------------------------

    def move(self, x: int, y: int) -> None:
        """Put the cursor somewhere; outside the screen is its edge."""
        self.x = max(0, min(x, self.columns - 1))
        self.y = max(0, min(y, self.height - 1))
        self.must_wrap = False

    def up(self, count: int, x: int | None = None) -> None:
        """Move up, not out of the scroll region."""
        edge = self.top if self.y >= self.top else 0
        self.move(self.x if x is None else x, max(self.y - count, edge))

    def down(self, count: int, x: int | None = None) -> None:
        """Move down, not out of the scroll region."""
        edge = self.bottom if self.y <= self.bottom else self.height - 1
        self.move(self.x if x is None else x, min(self.y + count, edge))

    def line_feed(self) -> None:
        """Go to the next row; at the end of the scroll region, scroll."""
        if self.y == self.bottom:
            self.scroll_up(1)
        elif self.y < self.height - 1:
            self.y += 1
        self.must_wrap = False

    def reverse_line_feed(self) -> None:
        """Go to the row above; at the start of the scroll region, scroll."""
        if self.y == self.top:
            self.scroll_down(1)
        elif self.y:
            self.y -= 1
        self.must_wrap = False

    # -- writing ----------------------------------------------------------------------------------------------------------

    def write(self, text: str, stamp: int, *, wrap: bool, shift: bool) -> None:
        """Write characters of one cell each from the cursor on. `shift`: what is there moves to the right."""
        while text:
            self._wrap_if_due(stamp)
            row, room = self.rows[self.y], self.columns - self.x
            piece, text = text[:room], text[room:]
            if text and not wrap:
                piece, text = piece[:-1] + text[-1], ""  # the last column takes one after the other
            if shift:
                row.insert(self.x, len(piece), stamp)
            row.put(self.x, piece, stamp)
            self.x += len(piece)
            if self.x == self.columns:
                self.x -= 1
                self.must_wrap = wrap

    def write_wide(self, character: str, stamp: int, *, wrap: bool, shift: bool) -> None:
        """Write a character of two cells; one that the row has no room for begins the next."""
        self._wrap_if_due(stamp)
        if self.x == self.columns - 1:
            if not wrap or self.columns < 2:
                return
            self.must_wrap = True
            self._wrap_if_due(stamp)
        row = self.rows[self.y]
        if shift:
            row.insert(self.x, 2, stamp)
        row.put_wide(self.x, character, stamp)
        self.x += 2
        if self.x >= self.columns:
            self.x = self.columns - 1
            self.must_wrap = wrap

    def combine(self, mark: str, stamp: int) -> None:
        """Add a combining character to the last one written."""
        at = self.x if self.must_wrap else self.x - 1
        if at >= 0:
            self.rows[self.y].combine(at, mark, stamp)

    def end_line(self, stamp: int) -> None:
        """Note that a line ends here: a blank one was written, too."""
        row = self.rows[self.y]
        row.stamp = row.stamp or stamp

    def _wrap_if_due(self, stamp: int) -> None:
        if self.must_wrap:
            row = self.rows[self.y]
            row.wrapped = True
            row.stamp = row.stamp or stamp
            self.x = 0
            self.line_feed()

    # -- erasing and shifting ---------------------------------------------------------------------------------------------

    def erase(self, stamp: int, first: tuple[int, int], last: tuple[int, int]) -> None:
        """Make blank what lies from one (row, column) up to, not with, another."""
        for y in range(first[0], min(last[0], self.height - 1) + 1):
            start = first[1] if y == first[0] else 0
            end = last[1] if y == last[0] else self.columns
            if end > start:
                self.rows[y].erase(start, end, stamp)

    def scroll_up(self, count: int) -> None:
        """Move the region's rows up; what leaves the whole screen's top is history."""
        for _ in range(min(count, self.bottom - self.top + 1)):
            row = self.rows.pop(self.top)
            if self.top == 0 and self._on_scrolled_out is not None:
                self._on_scrolled_out(row)
            self.rows.insert(self.bottom, Row(self.columns))

    def scroll_down(self, count: int) -> None:
        """Move the region's rows down."""
        self._insert_rows(self.top, count)

    def insert_rows(self, count: int) -> None:
        """Make room above the cursor's row."""
        if self.top <= self.y <= self.bottom:
            self._insert_rows(self.y, count)
            self.x, self.must_wrap = 0, False

    def delete_rows(self, count: int) -> None:
        """Take the cursor's row and those below it out."""
        if self.top <= self.y <= self.bottom:
            for _ in range(min(count, self.bottom - self.y + 1)):
                self.rows.pop(self.y)
                self.rows.insert(self.bottom, Row(self.columns))
            self.x, self.must_wrap = 0, False

    def _insert_rows(self, at: int, count: int) -> None:
        for _ in range(min(count, self.bottom - at + 1)):
            self.rows.pop(self.bottom)
            self.rows.insert(at, Row(self.columns))

    # -- size -------------------------------------------------------------------------------------------------------------

    def set_region(self, top: int, bottom: int) -> None:
        """Let only these rows scroll."""
        bottom = min(bottom, self.height - 1)
        if top < bottom:
            self.top, self.bottom = top, bottom

    def resize(self, columns: int, rows: int) -> None:
        """Take another size; what no longer fits leaves at the top, blank rows at the bottom go first."""
        while len(self.rows) > rows:
            if self.y < len(self.rows) - 1 and not self.rows[-1].stamp:
                self.rows.pop()
            else:
                gone = self.rows.pop(0)
                self.y = max(0, self.y - 1)
                if self._on_scrolled_out is not None:
                    self._on_scrolled_out(gone)
        for row in self.rows:
            row.resize(columns)
        self.rows += [Row(columns) for _ in range(rows - len(self.rows))]
        self.columns, self.height = columns, rows
        self.top, self.bottom = 0, rows - 1
        self.move(self.x, self.y)

    def text(self) -> list[str]:
        """Give the rows as text, without the blank ones at the end."""
        lines = [row.text() for row in self.rows]
        while lines and not lines[-1]:
            lines.pop()
        return lines
