"""A keeper's loop on a thread, an agent of the test's own at its end, and clients on real sockets."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.unit.pyro_mcp.keeper.fake_shell import FakeShell

from pyro_mcp.guest.greeting import greet
from pyro_mcp.keeper.jobs.part import Jobs
from pyro_mcp.keeper.lines.loop import READ, Loop
from pyro_mcp.keeper.lines.relaying import relay
from pyro_mcp.keeper.lines.switchboard import Client, Switchboard
from pyro_mcp.keeper.shells.part import Shells
from pyro_mcp.redaction import Redactor
from pyro_wire import events
from pyro_wire.faults import Fault
from pyro_wire.messages import Message
from pyro_wire.mux import Mux

# What a workspace's commands may know and its outputs must not tell.
SECRETS = {"TOKEN": b"t0ken-of-the-test"}


class Agent:
    """The guest's end of the line: answers as the test says, on a thread of its own."""

    def __init__(self, line: socket.socket) -> None:
        self.mux = Mux(initiator=False)
        self.cancelled: list[int] = []
        self.controls: list[Message] = []
        self.input: dict[int, bytes] = {}
        self.held: list[int] = []
        self.dies_at_sync = False
        self.typed = b""
        self._shells: dict[int, FakeShell] = {}
        self._unsaid: dict[int, bytes] = {}
        self._line = line

    def serve(self) -> None:
        """Until the line closes."""
        with self._line:
            while data := self._line.recv(65536):
                for event in self.mux.receive(data):
                    self._on_event(event)
                for stream in list(self._unsaid):
                    self._say(stream)
                self._flush()

    def _on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Opened):
            self._on_opened(event.stream, event.message)
        elif isinstance(event, events.Data) and event.stream in self._shells:
            self.mux.consumed(event.stream, len(event.payload))
            self.typed += event.payload
            self._shells[event.stream].type(event.payload)
        elif isinstance(event, events.Data):
            self.input[event.stream] = self.input.get(event.stream, b"") + event.payload
            self.mux.consumed(event.stream, len(event.payload))
        elif isinstance(event, events.Ended):
            self._answer_with(event.stream, self.input.get(event.stream, b"")[::-1])
        elif isinstance(event, events.Control):
            self.controls.append(event.message)
        elif isinstance(event, events.Cancelled):
            self.cancelled.append(event.stream)
            self.mux.answer(event.stream, {"killed": True})

    def _on_opened(self, stream: int, message: Message) -> None:
        programs = message.get("programs", [{}])
        argv = message.get("argv") or programs[0].get("argv")  # type: ignore[index]
        if argv == ["echoing"]:
            self.mux.control(stream, {"program": "echoing"})
            self._shells[stream] = FakeShell(
                lambda data: self._say(stream, data),
                lambda status: self.mux.answer(stream, {"exit_code": status, "signal": None}),
                SECRETS["TOKEN"],
            )
        if message["verb"] == "sync":
            self._sync(stream)
        elif argv == ["hang"]:
            self.held.append(stream)
        elif argv == ["say"]:
            self._answer_with(stream, b"said")
        elif argv == ["tell"]:
            value = SECRETS["TOKEN"]
            for part in (b"the token is ", value[:5], value[5:], b" - half of it: ", value[:8]):
                self.mux.send(stream, 1, part)
            self.mux.send(stream, 2, value)
            self.mux.answer(stream, {"exit_code": 0})
        elif argv == ["fail"]:
            self.mux.fail(stream, Fault("not_found", "no such program", SECRETS["TOKEN"].decode()))
        elif argv == ["die"] or message.get("path") == "die":
            self._line.shutdown(socket.SHUT_RDWR)

    def _sync(self, stream: int) -> None:
        if self.dies_at_sync:
            self._line.shutdown(socket.SHUT_RDWR)
        else:
            self.mux.answer(stream, {})

    def _say(self, stream: int, data: bytes = b"") -> None:
        """Send as much as there is room for, the rest when there is."""
        left = self._unsaid.pop(stream, b"") + data
        left = left[self.mux.send(stream, 1, left) :] if stream in self.mux else b""
        if left:
            self._unsaid[stream] = left

    def _answer_with(self, stream: int, data: bytes) -> None:
        self.mux.send(stream, 1, data)
        self.mux.answer(stream, {"exit_code": 0, "duration_ms": len(data)})

    def _flush(self) -> None:
        with suppress(OSError):  # it has just died
            while self.mux.backlog:
                self.mux.wrote(self._line.send(self.mux.outgoing()))


class Kept:
    """A keeper in the test's own process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.dead: list[str] = []
        self.loop = Loop()
        near, far = socket.socketpair()
        self.agent = Agent(far)
        self._agent_thread = threading.Thread(target=self.agent.serve, daemon=True)
        self._agent_thread.start()
        mux = greet(near, lambda: None)
        self.board = Switchboard(self.loop, near, mux, on_request=self._serve, on_dead=self._on_dead)
        self.refused: list[Message] = []
        self.jobs = Jobs(self.board, self.loop.after, Redactor(SECRETS), lambda _: self.refused)
        self.shells = Shells(self.board, self.loop, Redactor(SECRETS))
        self._verbs = {**self.jobs.verbs(), **self.shells.verbs()}
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self.loop.watch(self._listener, READ, lambda _: self.board.admit(self._listener.accept()[0]))
        self._wake, self._woken = socket.socketpair()
        self.loop.watch(self._woken, READ, lambda _: self.loop.stop())
        self._thread = threading.Thread(target=self.loop.run, daemon=True)
        self._thread.start()

    def _serve(self, client: Client, stream: int, message: Message) -> None:
        own = self._verbs.get(str(message["verb"]))
        if own is None:
            relay(self.board, client, stream, message)
        else:
            own(client, stream, message)

    def _on_dead(self, reason: str) -> None:
        self.dead.append(reason)
        self.board.fail_all(Fault("guest_failed", "the machine died"))

    def close(self) -> None:
        self._wake.send(b"x")
        self._thread.join()
        self.board.close()
        self._agent_thread.join()
        for end in (self._listener, self._wake, self._woken):
            end.close()


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    keeper = Kept(tmp_path / "k.sock")
    yield keeper
    keeper.close()
