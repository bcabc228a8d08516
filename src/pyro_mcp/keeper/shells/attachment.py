"""A person's own terminal on a shell: its bytes as they come, its keys as they are pressed."""

from __future__ import annotations

from pyro_mcp.keeper.lines.switchboard import Client
from pyro_mcp.keeper.shells.shell import Shell
from pyro_mcp.terminal.screen import Screen
from pyro_wire import events, messages
from pyro_wire.messages import Message, MessageError
from pyro_wire.mux import Mux

_BLOCK = 64 * 1024


class Attachment:
    """One attached client, from its request until it detaches or the shell ends."""

    def __init__(self, shell: Shell, client: Client, stream: int) -> None:
        self._shell = shell
        self._client, self._stream = client, stream
        self._position = shell.ring.end
        self._first = memoryview(paint(shell.screen))
        self._answer: Message | None = None

    def begin(self) -> None:
        """Show what is on the screen, and let the program draw it anew in its own colours."""
        self._client.serving[self._stream] = self
        self._shell.watchers.append(self)
        self._shell.attached += 1
        self._shell.signal("WINCH")
        self.look()

    def look(self) -> None:
        """Send what there is and the client has room for; answer when the shell has ended and all is sent."""
        if self._send() and self._shell.ended is not None and self._answer is None:
            self._leave({"ended": self._shell.ended})
        self._client.line.update()

    def from_client(self, event: events.Event) -> None:
        """Take keys, sizes, and the wish to leave."""
        if isinstance(event, events.Data):
            size = len(event.payload)
            self._shell.type_as_person(event.payload, lambda count: self._taken(min(count, size)))
        elif isinstance(event, events.Control):
            self._control(event.message)
        elif isinstance(event, events.Cancelled):
            self._leave({"detached": True})
        elif isinstance(event, events.Credited):
            self.look()

    def client_has_room(self) -> None:
        """Go on sending."""
        self.look()

    def client_gone(self) -> None:
        """The shell goes on: it belongs to the workspace."""
        self._stop_watching()

    def _control(self, message: Message) -> None:
        if message.get("detach") is True:
            self._leave({"detached": True})
            return
        try:
            columns = messages.integer(message, "columns", low=1, high=1000)
            rows = messages.integer(message, "rows", low=1, high=500)
        except MessageError:
            return
        self._shell.resize(columns, rows)

    def _taken(self, count: int) -> None:
        self._client.tell(self._stream, lambda mux: mux.consumed(self._stream, count))

    def _leave(self, answer: Message) -> None:
        self._answer = {**answer, "shell_id": self._shell.id}
        self._stop_watching()
        self._client.tell(self._stream, lambda mux: _send_whole(mux, self._stream, self._shell.screen))
        self._client.answer(self._stream, self._answer)

    def _stop_watching(self) -> None:
        if self in self._shell.watchers:
            self._shell.watchers.remove(self)
            self._shell.attached -= 1

    def _send(self) -> bool:
        """Tell whether everything is sent. A terminal that is too slow for what a program writes misses the oldest of it."""
        mux = self._client.line.mux
        if self._first:
            self._first = self._first[mux.send(self._stream, 1, self._first) :]
        ring = self._shell.ring
        while not self._first and self._position < ring.end:
            self._position = max(self._position, ring.start)
            data = ring.read(self._position, min(_BLOCK, mux.room(self._stream)))
            if not data:
                return False
            self._position += mux.send(self._stream, 1, data)
        return not self._first


def _send_whole(mux: Mux, stream: int, screen: Screen) -> None:
    mux.send(stream, 1, restore(screen))


def paint(screen: Screen) -> bytes:
    """Draw a screen, without its colours, on a terminal of the same size."""
    rows = "\r\n".join(screen.grid.text())
    switches = "".join(f"\x1b[?{number}{'l' if number == 25 else 'h'}" for number in screen.modes.left_on)
    alternate = "\x1b[?1049h" if screen.alternate else ""
    place = f"\x1b[{screen.grid.y + 1};{screen.grid.x + 1}H"
    return f"{alternate}\x1b[2J\x1b[H{rows}{switches}{place}".encode("utf-8", "replace")


def restore(screen: Screen) -> bytes:
    """Put a terminal right that programs on this screen have switched about."""
    switches = "".join(f"\x1b[?{number}{'h' if number == 25 else 'l'}" for number in screen.modes.left_on)
    alternate = "\x1b[?1049l" if screen.alternate else ""
    return f"\x1b7\x1b[r\x1b8\x1b[0m{switches}{alternate}\r\n".encode()
