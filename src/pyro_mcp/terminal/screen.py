"""The terminal itself: what xterm does with text, controls and sequences, but for colours, which nobody reads.

An own one, for the keeper has the standard library alone, and because the lines that leave the screen are half of what is
wanted here. docs/design/shells.md compares it with pyte, against which it is tested.
"""

from __future__ import annotations

from collections.abc import Callable

from pyro_mcp.terminal.grid import Grid
from pyro_mcp.terminal.marks import Marks
from pyro_mcp.terminal.modes import Modes
from pyro_mcp.terminal.parser import Parser
from pyro_mcp.terminal.rows import History, Row
from pyro_mcp.terminal.widths import width

_DRAWING = dict(zip(range(0x5F, 0x7F), "\u00a0◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·", strict=True))
_TAB = 8
_MOST_REPEATED = 4096


class Screen:
    """A terminal of some size. `reply` gets what it answers to a program that asks it something."""

    def __init__(self, columns: int, rows: int, reply: Callable[[bytes], None] = lambda _: None) -> None:
        self.columns, self.height = columns, rows
        self.history = History()
        self.marks = Marks()
        self.modes = Modes()
        self.position = 0
        self.painted = (
            False  # a command has begun at the top of the screen and not scrolled: it draws, like top
        )
        self._reply = reply
        self.main = Grid(columns, rows, self._keep)  # the one that scrolls, whichever is shown
        self._alternate = Grid(columns, rows, None)
        self.grid = self.main
        self._saved: dict[Grid, tuple[int, int]] = {}
        self._drawing = [False, False]  # G0 and G1 hold line-drawing characters
        self._shifted = 0
        self._last = ""
        self._stops: set[int] | None = None  # None: every eighth column
        self._parser = Parser(self)

    def feed(self, data: bytes) -> None:
        """Take the next bytes that programs wrote."""
        self._parser.feed(data)

    @property
    def full_screen(self) -> bool:
        """Tell whether a program draws the whole screen: then the screen is what there is to read."""
        return self.grid is self._alternate or (self.painted and self.marks.state == "running")

    @property
    def alternate(self) -> bool:
        """Tell whether the second screen is shown, which has no history: that of editors and pagers."""
        return self.grid is self._alternate

    def resize(self, columns: int, rows: int) -> None:
        """Take another size."""
        self.columns, self.height = columns, rows
        self.main.resize(columns, rows)
        self._alternate.resize(columns, rows)

    # -- what the parser finds --------------------------------------------------------------------------------------------

    def text(self, text: str) -> None:
        """Write characters."""
        if self._drawing[self._shifted]:
            text = text.translate(_DRAWING)
        grid, modes, stamp = self.grid, self.modes, self.position
        self._last = text[-1]
        if text.isascii():
            grid.write(text, stamp, wrap=modes.wrap, shift=modes.insert)
            return
        for character in text:
            cells = width(character)
            if cells == 1:
                grid.write(character, stamp, wrap=modes.wrap, shift=modes.insert)
            elif cells == 2:
                grid.write_wide(character, stamp, wrap=modes.wrap, shift=modes.insert)
            elif cells == 0:
                grid.combine(character, stamp)

    def control(self, code: int) -> None:
        """Act on a control character."""
        grid = self.grid
        if code == 0x0A or code in (0x0B, 0x0C):
            self._line_feed()
        elif code == 0x0D:
            grid.move(0, grid.y)
        elif code == 0x08:
            grid.move(grid.x - 1, grid.y)
        elif code == 0x09:
            self._tab(1)
        elif code in (0x0E, 0x0F):
            self._shifted = int(code == 0x0E)

    def escape(self, intermediates: str, final: str) -> None:
        """Act on an escape sequence."""
        if intermediates in ("(", ")"):
            self._drawing[intermediates == ")"] = final == "0"
        elif intermediates == "#" and final == "8":
            self._align()
        elif not intermediates and final in _ESCAPES:
            _ESCAPES[final](self)

    def sequence(self, private: str, parameters: list[int], intermediates: str, final: str) -> None:
        """Act on a control sequence; those that this terminal does not know do nothing, as everywhere."""
        if intermediates:
            if (intermediates, final) == ("!", "p"):
                self._soft_reset()
            elif (intermediates, final) == ("$", "p"):
                self._reply(b"\x1b[%s%d;0$y" % (private.encode(), parameters[0] if parameters else 0))
        elif final in "hl":
            self._set_modes(private, parameters, on=final == "h")
        elif final in "nc":
            self._report(private, parameters, final)
        elif private in ("", "?") and final in "JK":
            (self._erase_screen if final == "J" else self._erase_row)(parameters[0] if parameters else 0)
        elif not private and final in _SEQUENCES:
            first = parameters[0] if parameters else 0
            second = parameters[1] if len(parameters) > 1 else 0
            _SEQUENCES[final](self, first, second)

    def command(self, text: str) -> None:
        """Act on an operating system command: of all these only the marks of shells matter here."""
        if text.startswith("133;"):
            mark = text[4:]
            if mark[:1] in ("A", "C", "D"):
                self.painted = False
            self.marks.take(mark)

    # -- parts ------------------------------------------------------------------------------------------------------------

    def _keep(self, row: Row) -> None:
        self.history.add(row.line())
        self.painted = False  # who lets the screen scroll writes lines

    def _line_feed(self) -> None:
        self.grid.end_line(self.position)
        self.grid.line_feed()
        self.marks.line_ended = True
        if self.modes.new_line:
            self.grid.move(0, self.grid.y)

    def _next_line(self) -> None:
        self._line_feed()
        self.grid.move(0, self.grid.y)

    def _tab(self, count: int) -> None:
        grid, x = self.grid, self.grid.x
        for _ in range(min(count, grid.columns)):
            x = self._stop_after(x)
        grid.move(x, grid.y)

    def _stop_after(self, x: int) -> int:
        if self._stops is None:
            return x - x % _TAB + _TAB
        return min((stop for stop in self._stops if stop > x), default=self.columns - 1)

    def _back_tab(self, count: int) -> None:
        grid, x = self.grid, self.grid.x
        for _ in range(min(count, grid.columns)):
            x = (x - 1) - (x - 1) % _TAB if x else 0
        grid.move(x, grid.y)

    def _set_stop(self) -> None:
        self._stops = self._all_stops() | {self.grid.x}

    def _clear_stop(self, which: int) -> None:
        self._stops = set() if which == 3 else self._all_stops() - {self.grid.x}

    def _all_stops(self) -> set[int]:
        return set(range(0, self.columns, _TAB)) if self._stops is None else self._stops

    def _to(self, row: int, column: int) -> None:
        """Put the cursor somewhere, counted from 1, in the scroll region where that is the origin."""
        grid = self.grid
        self.painted = self.painted or row <= 1
        if self.modes.origin:
            grid.move(column - 1, min(max(row, 1) - 1 + grid.top, grid.bottom))
        else:
            grid.move(column - 1, max(row, 1) - 1)

    def _erase_screen(self, which: int) -> None:
        grid, stamp = self.grid, self.position
        here, end = (grid.y, grid.x), (grid.height - 1, grid.columns)
        if which == 0:
            grid.erase(stamp, here, end)
        elif which == 1:
            grid.erase(stamp, (0, 0), (grid.y, grid.x + 1))
        elif which == 2:
            grid.erase(stamp, (0, 0), end)

    def _erase_row(self, which: int) -> None:
        grid = self.grid
        start = grid.x if which == 0 else 0
        end = grid.x + 1 if which == 1 else grid.columns
        if which in (0, 1, 2):
            grid.erase(self.position, (grid.y, start), (grid.y, end))

    def _set_region(self, top: int, bottom: int) -> None:
        self.grid.set_region(max(top, 1) - 1, (bottom or self.height) - 1)
        self.grid.move(0, self.grid.top if self.modes.origin else 0)

    def _repeat(self, count: int) -> None:
        if self._last:
            self.text(self._last * min(max(count, 1), _MOST_REPEATED))

    def _save(self) -> None:
        self._saved[self.grid] = (self.grid.x, self.grid.y)

    def _restore(self) -> None:
        self.grid.move(*self._saved.get(self.grid, (0, 0)))

    def _align(self) -> None:
        grid = self.grid
        for row in grid.rows:
            row.put(0, "E" * grid.columns, self.position)
        grid.move(0, 0)

    def _reset(self) -> None:
        self._soft_reset()
        self._show(alternate=False)
        self._erase_screen(2)
        self.grid.move(0, 0)
        self._stops = None
        self.modes = Modes()

    def _soft_reset(self) -> None:
        self.modes.soft_reset()
        self.grid.set_region(0, self.height - 1)
        self._drawing, self._shifted = [False, False], 0
        self._saved.clear()

    def _set_modes(self, private: str, numbers: list[int], *, on: bool) -> None:
        for number in numbers:
            if private == "?" and number in (47, 1047, 1049):
                self._switch(number, on=on)
            elif private == "?" and number == 1048:
                (self._save if on else self._restore)()
            elif private in ("", "?"):
                self.modes.set(private, number, on=on)
            if private == "?" and number == 6:
                self.grid.move(0, self.grid.top if on else 0)

    def _switch(self, number: int, *, on: bool) -> None:
        if on == (self.grid is self._alternate):
            return
        if number == 1049 and on:
            self._save()
        if not on and number != 47:
            self._alternate = Grid(self.columns, self.height, None)
        x, y = self.grid.x, self.grid.y
        self._show(alternate=on)
        if number == 1049 and not on:
            self._restore()
        else:
            self.grid.move(x, y)

    def _show(self, *, alternate: bool) -> None:
        self._saved = {grid: at for grid, at in self._saved.items() if grid in (self.main, self._alternate)}
        self.grid = self._alternate if alternate else self.main

    def _report(self, private: str, parameters: list[int], final: str) -> None:
        first = parameters[0] if parameters else 0
        if final == "c" and not first:
            answers = {"": b"\x1b[?62;22c", ">": b"\x1b[>1;10;0c"}
            self._reply(answers.get(private, b""))
        elif final == "n" and private in ("", "?"):
            here = b"%d;%dR" % (self.grid.y + 1, self.grid.x + 1)
            self._reply({5: b"\x1b[0n", 6: b"\x1b[" + private.encode() + here}.get(first, b""))


_ESCAPES: dict[str, Callable[[Screen], None]] = {
    "7": Screen._save,
    "8": Screen._restore,
    "D": Screen._line_feed,
    "E": Screen._next_line,
    "H": Screen._set_stop,
    "M": lambda screen: screen.grid.reverse_line_feed(),
    "c": Screen._reset,
}
_Action = Callable[[Screen, int, int], None]
_SEQUENCES: dict[str, _Action] = {
    "@": lambda s, n, _: s.grid.rows[s.grid.y].insert(s.grid.x, min(n or 1, s.columns), s.position),
    "A": lambda s, n, _: s.grid.up(n or 1),
    "B": lambda s, n, _: s.grid.down(n or 1),
    "C": lambda s, n, _: s.grid.move(s.grid.x + (n or 1), s.grid.y),
    "D": lambda s, n, _: s.grid.move(s.grid.x - (n or 1), s.grid.y),
    "E": lambda s, n, _: s.grid.down(n or 1, x=0),
    "F": lambda s, n, _: s.grid.up(n or 1, x=0),
    "G": lambda s, n, _: s.grid.move((n or 1) - 1, s.grid.y),
    "H": Screen._to,
    "I": lambda s, n, _: s._tab(n or 1),
    "L": lambda s, n, _: s.grid.insert_rows(n or 1),
    "M": lambda s, n, _: s.grid.delete_rows(n or 1),
    "P": lambda s, n, _: s.grid.rows[s.grid.y].delete(s.grid.x, n or 1, s.position),
    "S": lambda s, n, _: s.grid.scroll_up(n or 1),
    "T": lambda s, n, _: s.grid.scroll_down(n or 1),
    "X": lambda s, n, _: s.grid.erase(
        s.position, (s.grid.y, s.grid.x), (s.grid.y, min(s.grid.x + (n or 1), s.columns))
    ),
    "Z": lambda s, n, _: s._back_tab(n or 1),
    "`": lambda s, n, _: s.grid.move((n or 1) - 1, s.grid.y),
    "a": lambda s, n, _: s.grid.move(s.grid.x + (n or 1), s.grid.y),
    "b": lambda s, n, _: s._repeat(n),
    "d": lambda s, n, _: s._to(n or 1, s.grid.x + 1),
    "e": lambda s, n, _: s.grid.move(s.grid.x, s.grid.y + (n or 1)),
    "f": Screen._to,
    "g": lambda s, n, _: s._clear_stop(n),
    "r": Screen._set_region,
    "s": lambda s, _, __: s._save(),
    "u": lambda s, _, __: s._restore(),
}
