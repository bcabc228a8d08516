"""One shell: its stream to the agent, what it wrote, what is on its screen, and who waits for it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from pyro_mcp.guest.faults import redacted_fault
from pyro_mcp.keeper.lines.loop import Loop
from pyro_mcp.keeper.lines.switchboard import Switchboard
from pyro_mcp.keeper.shells.ring import Ring
from pyro_mcp.redaction import Redactor
from pyro_mcp.terminal.keys import enters, key_bytes, typed
from pyro_mcp.terminal.screen import Screen
from pyro_wire import events, messages
from pyro_wire.faults import Fault, FaultError
from pyro_wire.messages import Message

# One turn of the loop: some milliseconds of emulation, after which others get theirs.
_SLICE = 32 * 1024
# What may wait to be typed; a program that reads nothing must not fill our memory.
_MOST_INPUT = 256 * 1024
# After a prompt, with more lines entered than prompts shown: so long without a word, and it was the last.
_QUIET_SECONDS = 0.3
# What may be the beginning of a secret waits so long for its rest: prompts end in all kinds of characters.
_HELD_SECONDS = 0.05
# ctrl-c and ctrl-d end what runs, Enter a line: a shell then prompts anew.
# A command that writes keeps its machine for so long after somebody last typed or read: a night's work, and no forgotten `top`.
WORK_SECONDS = 8 * 3600.0
_ENTERING = b"\r\x03\x04"


class Watcher(Protocol):
    """Whoever is to learn that a shell has something new, or has ended."""

    def look(self) -> None: ...


class Shell:
    """A terminal in the guest, seen from here."""

    def __init__(
        self, board: Switchboard, loop: Loop, redactor: Redactor, shell_id: str, request: Message
    ) -> None:
        self.id = shell_id
        self.cwd = redactor.text(messages.text(request, "cwd", "/workspace"))
        self.program = ""
        self.opened_at = time.time()
        self.last_output = self.last_input = self.last_wanted = time.monotonic()
        self.ring = Ring()
        columns = messages.integer(request, "columns", low=1, high=1000)
        rows = messages.integer(request, "rows", low=1, high=500)
        self.screen = Screen(columns, rows, self._answer_program)
        self.seen = 0  # where the last reader without a cursor of its own has got to
        self.attached = 0
        self.ended: str | None = None
        self.fault: Fault | None = None
        self.watchers: list[Watcher] = []
        self.on_end: Callable[[str], None] = lambda _: None
        self.on_work: Callable[[], None] = lambda: None
        self._board, self._loop, self._redactor = board, loop, redactor.fresh()
        self._pending: deque[bytes] = deque()
        self._digesting = False
        self._input: deque[tuple[memoryview, Callable[[int], None] | None]] = deque()
        opened = board.ask_agent({**request, "verb": "pty"}, self._from_agent, holds=False)
        self._stream = 0 if isinstance(opened, Fault) else opened
        if isinstance(opened, Fault):
            self.fault = opened
            self.finish(opened.brief)

    @property
    def state(self) -> str:
        """Say where it stands: starting, prompt, continuation, running or ended."""
        return self.screen.marks.state if self.ended is None else "ended"

    @property
    def living(self) -> bool:
        """Tell whether the agent still works on it."""
        return self.ended is None and self._stream in self._board.agent.mux

    # -- what clients do --------------------------------------------------------------------------------------------------

    def write(self, text: str, keys: list[str], *, newline: bool) -> int:
        """Type a text and press keys; returns how many bytes that were."""
        application = self.screen.modes.application_keys
        at_prompt = self.state in ("prompt", "continuation")
        data = typed(text + "\n" if newline else text, at_prompt=at_prompt)
        lines = data.count(b"\n") + data.count(b"\r")
        data += b"".join(key_bytes(key, application=application) for key in keys)
        if sum(len(waiting) for waiting, _ in self._input) + len(data) > _MOST_INPUT:
            raise FaultError(
                "limit_reached",
                f"{self.id} does not read what is typed: more than {_MOST_INPUT} bytes would wait",
                hint="read what it shows; a large text is better written to a file",
            )
        self.screen.marks.entered(lines + sum(map(enters, keys)))
        self.type(data)
        return len(data)

    def type(self, data: bytes, on_taken: Callable[[int], None] | None = None) -> None:
        """Send bytes as a keyboard would; `on_taken` is told when they are on their way."""
        self.last_input = self.last_wanted = time.monotonic()
        if not self.living:
            if on_taken is not None:
                on_taken(len(data))
            return
        self._input.append((memoryview(data), on_taken))
        self._push_input()

    def type_as_person(self, data: bytes, on_taken: Callable[[int], None]) -> None:
        """Send what a person types at a terminal of their own."""
        self.screen.marks.entered(sum(data.count(byte) for byte in _ENTERING))
        self.type(data, on_taken)

    def resize(self, columns: int, rows: int) -> None:
        """Take another size; what runs is told."""
        self.digest_all()
        self.screen.resize(columns, rows)
        self._tell({"columns": columns, "rows": rows})

    def signal(self, name: str) -> None:
        """Signal what runs in the foreground."""
        self._tell({"signal": name})

    def close(self) -> None:
        """Kill everything in it; its end comes as that of any other."""
        if self.living:
            self._board.agent.mux.cancel(self._stream)
            self._board.agent.update()

    def digest_all(self) -> None:
        """Let the screen catch up with what has come."""
        while self._pending:
            self._digest_slice()

    def clean(self, text: str) -> str:
        """Give a text without secrets: what was typed key by key has passed the stream's own redaction in parts."""
        return self._redactor.text(text)

    def clean_bytes(self, data: bytes) -> bytes:
        """Give bytes without secrets."""
        alone = self._redactor.fresh()
        return alone.feed(data) + alone.finish()

    # -- what comes from the agent ----------------------------------------------------------------------------------------

    def _from_agent(self, event: events.Event) -> None:
        if isinstance(event, events.Data):
            self._pending.append(event.payload)
            if not self._digesting:
                self._digesting = True
                self._loop.after(0, self._digest)
        elif isinstance(event, events.Credited):
            self._push_input()
        elif isinstance(event, events.Control):
            self.program = _harmless(event.message.get("program", ""))
        elif isinstance(event, events.Answered):
            self.digest_all()
            self.finish(_ending(event.message))
        elif isinstance(event, events.Failed):
            self.digest_all()
            self.fault = redacted_fault(event.fault, self._redactor)
            self.finish(self.fault.brief)

    def finish(self, reason: str) -> None:
        """Note the end, once."""
        if self.ended is not None:
            return
        self._show(self._redactor.finish())
        self.ended = _harmless(reason)
        while self._input:
            waiting, on_taken = self._input.popleft()
            if on_taken is not None:
                on_taken(len(waiting))
        self.on_end(self.ended)
        self._notify()

    def _digest(self) -> None:
        self._digest_slice()
        self._digesting = bool(self._pending)
        if self._digesting:
            self._loop.after(0, self._digest)
        else:
            self._loop.after(_QUIET_SECONDS, self._note_quiet)
            if self._redactor.holds:
                self._loop.after(_HELD_SECONDS, self._show_held)
        self._notify()

    def _digest_slice(self) -> None:
        if not self._pending:
            return
        data = self._pending.popleft()
        if len(data) > _SLICE:
            self._pending.appendleft(data[_SLICE:])
            data = data[:_SLICE]
        self.last_output = time.monotonic()
        self._show(self._redactor.feed(data))
        if self.state == "running" and self.last_output - self.last_wanted < WORK_SECONDS:
            self.on_work()
        self._board.agent.mux.consumed(self._stream, len(data))
        self._board.agent.update()

    def _show(self, data: bytes) -> None:
        if data:
            self.ring.add(data)
            self.screen.feed(data)

    def _show_held(self) -> None:
        if self._redactor.holds and time.monotonic() - self.last_output >= _HELD_SECONDS * 0.9:
            self._show(self._redactor.finish())
            self._notify()

    def _note_quiet(self) -> None:
        if time.monotonic() - self.last_output >= _QUIET_SECONDS * 0.9:
            self.screen.marks.quiet()
            self._notify()

    def _notify(self) -> None:
        for watcher in list(self.watchers):
            watcher.look()

    def _answer_program(self, answer: bytes) -> None:
        """Answer what a program asks its terminal, unless a person's own terminal does."""
        if answer and not self.attached:
            self.type(answer)

    def _push_input(self) -> None:
        while self._input and self.living:
            waiting, on_taken = self._input[0]
            taken = self._board.agent.mux.send(self._stream, 0, waiting)
            if on_taken is not None and taken:
                on_taken(taken)
            if taken < len(waiting):
                self._input[0] = (waiting[taken:], on_taken)
                break
            self._input.popleft()
        self._board.agent.update()

    def _tell(self, message: Message) -> None:
        if self.living:
            self._board.agent.mux.control(self._stream, message)
            self._board.agent.update()


def _harmless(said: object) -> str:
    """Give what a guest said without characters that a terminal would act on."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in str(said)[:300])


def _ending(answer: Message) -> str:
    if answer.get("killed") is True:
        return "it was closed"
    code, signal = answer.get("exit_code"), answer.get("signal")
    return f"it exited with status {code}" if code is not None else f"signal {signal} ended it"
