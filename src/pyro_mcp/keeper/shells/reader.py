"""Read a shell: wait for what was asked for, then give text, screen or bytes, and where the shell stands."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from pyro_mcp.keeper.lines.loop import Loop
from pyro_mcp.keeper.lines.switchboard import Client
from pyro_mcp.keeper.shells.shell import Shell
from pyro_mcp.terminal.reading import Reading, lines_since, newest_lines
from pyro_wire import events, messages
from pyro_wire.messages import Message, MessageError

_VIEWS = ("text", "screen", "raw")
_LONGEST_MS = 3_600_000
_MOST_CHARS = 16 << 20
# Without anything to wait for: until what was typed a moment ago has had time to show.
_SETTLE_MS = 100
_SETTLE_MOST_MS = 1000
# Who waits for any output is not told of every few bytes.
_GATHER_MS = 30


@dataclass(frozen=True, slots=True)
class Wish:
    """A checked `keeper.shell.read`: what to read, from where, and what to wait for: the prompt, a pause, output `beyond` a
    position; for `timeout_ms` at most, `waited_ms` have passed already. `peek`: the next read begins where this one did.
    """

    view: str = "text"
    cursor: int | None = None
    most: int = _MOST_CHARS
    prompt: bool = False
    idle_ms: int | None = None
    beyond: int | None = None
    timeout_ms: int = 0
    waited_ms: int = 0
    peek: bool = False

    @classmethod
    def from_message(cls, message: Message) -> Wish:
        """Check every field; raise MessageError for the first that is wrong."""
        view = messages.text(message, "view", "text")
        if view not in _VIEWS:
            raise MessageError(f"view: there is no {view[:40]!r}")
        return cls(
            view,
            messages.optional_integer(message, "cursor", low=0, high=2**53),
            messages.optional_integer(message, "max_chars", low=1, high=_MOST_CHARS) or _MOST_CHARS,
            messages.flag(message, "prompt", default=False),
            messages.optional_integer(message, "idle_ms", low=0, high=_LONGEST_MS),
            messages.optional_integer(message, "beyond", low=0, high=2**53),
            messages.optional_integer(message, "timeout_ms", low=0, high=_LONGEST_MS) or 0,
            messages.optional_integer(message, "waited_ms", low=0, high=_LONGEST_MS) or 0,
            messages.flag(message, "peek", default=False),
        )

    @property
    def waits(self) -> bool:
        """Tell whether there is anything to wait for."""
        return self.prompt or self.idle_ms is not None or self.beyond is not None


class Reader:
    """One reading client, from its request to its answer."""

    def __init__(
        self,
        shell: Shell,
        loop: Loop,
        client: Client,
        stream: int,
        wish: Wish,
        on_fault: Callable[[], None] | None = None,
    ) -> None:
        self._shell, self._loop = shell, loop
        self._client, self._stream = client, stream
        self._wish = wish
        self._on_fault = (
            on_fault  # of a shell that is just being opened: without a first prompt it was never one
        )
        self._began = time.monotonic()
        self._text = memoryview(b"")
        self._answer: Message | None = None
        self._timer_due = 0.0

    def begin(self) -> None:
        """Answer now, or as soon as what is waited for has happened."""
        self._client.serving[self._stream] = self
        self._shell.watchers.append(self)
        limit = self._wish.timeout_ms if self._wish.waits else _SETTLE_MOST_MS
        self._loop.after(limit / 1000, self._time_out)
        self._shell.digest_all()
        self.look()

    def look(self) -> None:
        """See whether what is waited for has happened."""
        if self._answer is None and (why := self._reason()) is not None:
            self._conclude(why)

    def from_client(self, event: events.Event) -> None:
        """A reader says nothing more, but may give up."""
        if isinstance(event, events.Cancelled):
            if self._answer is None:
                self._conclude("timeout")
        elif isinstance(event, events.Credited):
            self._send()

    def client_has_room(self) -> None:
        """Go on sending."""
        self._send()

    def client_gone(self) -> None:
        """Nobody reads any more."""
        self._stop_watching()

    # -- waiting ----------------------------------------------------------------------------------------------------------

    def _reason(self) -> str | None:
        shell, wish = self._shell, self._wish
        if shell.ended is not None:
            return "ended"
        if wish.prompt and shell.state in ("prompt", "continuation"):
            return "prompt"
        if wish.beyond is not None and shell.ring.end > wish.beyond:
            return self._quiet_since(self._began, _GATHER_MS, "output")
        if wish.idle_ms is not None:
            since = max(self._began - wish.waited_ms / 1000, shell.last_output)
            return self._quiet_since(since, wish.idle_ms, "idle")
        if not wish.waits:
            return self._quiet_since(max(shell.last_output, shell.last_input), _SETTLE_MS, "")
        return None

    def _quiet_since(self, moment: float, milliseconds: int, why: str) -> str | None:
        left = moment + milliseconds / 1000 - time.monotonic()
        if left <= 0:
            return why
        if self._timer_due <= time.monotonic():
            self._timer_due = time.monotonic() + left
            self._loop.after(left, self.look)
        return None

    def _time_out(self) -> None:
        if self._answer is None:
            self._conclude("timeout" if self._wish.waits else "")

    # -- answering --------------------------------------------------------------------------------------------------------

    def _conclude(self, why: str) -> None:
        self._stop_watching()
        if self._stream not in self._client.serving:
            return
        self._shell.digest_all()
        shell, wish = self._shell, self._wish
        if self._on_fault is not None and shell.fault is not None:
            self._on_fault()
            self._client.answer(self._stream, shell.fault)
            return
        position = shell.seen if wish.cursor is None else wish.cursor
        view, data, reading = read(shell, wish, min(position, shell.ring.end))
        if wish.cursor is None and not wish.peek:
            shell.seen = reading.next
        self._text = memoryview(data)
        self._answer = {
            **describe(shell),
            "view": view,
            "next": reading.next,
            "dropped_bytes": _dropped(shell, view, position) if reading.dropped else 0,
            "truncated": reading.truncated,
            "skipped_from": position if reading.skipped else None,
            "waited": why,
        }
        self._send()

    def _stop_watching(self) -> None:
        if self in self._shell.watchers:
            self._shell.watchers.remove(self)

    def _send(self) -> None:
        if self._answer is None:
            return
        mux = self._client.line.mux
        if self._text and self._stream in mux:
            sent = mux.send(self._stream, 1, self._text)
            self._text = self._text[sent:]
        if not self._text:
            self._client.answer(self._stream, self._answer)
        self._client.line.update()


def read(shell: Shell, wish: Wish, position: int) -> tuple[str, bytes, Reading]:
    """Give the view that it became, its bytes, and where it goes on. A full-screen program has a screen, and no text.

    Who names a cursor goes through it all, page by page; who does not wants what there is now.
    """
    ring, screen, view, most = shell.ring, shell.screen, wish.view, wish.most
    if view == "raw":
        data = ring.read(position, most)
        start = max(position, ring.start)
        reading = Reading("", start + len(data), ring.start > position, start + len(data) < ring.end)
        return view, shell.clean_bytes(data), reading
    if view == "screen" or screen.full_screen:
        text = shell.clean("\n".join(_rows(shell)))
        shown = Reading(text[:most], ring.end, truncated=len(text) > most)
        return "screen", shown.text.encode("utf-8", "replace"), shown
    choose = newest_lines if wish.cursor is None and not wish.peek else lines_since
    reading = choose(screen, position, ring.end, most)
    return view, shell.clean(reading.text).encode("utf-8", "replace"), reading


def _rows(shell: Shell) -> list[str]:
    """The rows as they are seen; a line of several rows that has a secret, which none of them has whole, is broken anew."""
    grid = shell.screen.grid
    shown = grid.text()
    begin = 0
    for end, row in enumerate(grid.rows[: len(shown)], 1):
        if row.wrapped and end < len(shown):
            continue
        line = "".join(part.line().text for part in grid.rows[begin:end])
        if end - begin > 1 and (clean := shell.clean(line)) != line:
            broken = [clean[at : at + grid.columns] for at in range(0, len(clean), grid.columns)]
            shown[begin:end] = (broken + [""] * (end - begin))[: end - begin]
        begin = end
    return shown


def describe(shell: Shell) -> dict[str, object]:
    """Give what every answer about a shell begins with."""
    screen = shell.screen
    return {
        "shell_id": shell.id,
        "state": shell.state,
        "exit_code": screen.marks.exit_code,
        "program": shell.program,
        "cwd": shell.cwd,
        "columns": screen.columns,
        "rows": screen.height,
        "cursor_row": screen.grid.y + 1,
        "cursor_column": screen.grid.x + 1,
        "full_screen": screen.full_screen,
        "attached": shell.attached,
        "ended": shell.ended,
        "opened_at": shell.opened_at,
        "end": shell.ring.end,
    }


def _dropped(shell: Shell, view: str, position: int) -> int:
    kept = shell.ring.start if view == "raw" else shell.screen.history.forgotten
    return max(0, kept - position)
