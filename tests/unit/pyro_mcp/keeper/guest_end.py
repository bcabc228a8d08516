"""A guest's end of the line without a guest: the real agent's loop and `connect`, commands that only pretend to run."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from pyro_agent.base.loop import Loop as AgentLoop
from pyro_agent.requests.dispatcher import Dispatcher
from pyro_agent.requests.line import Line as AgentLine
from pyro_agent.requests.machine import Machine
from pyro_agent.requests.outward import Outward
from pyro_agent.requests.request import Request
from pyro_agent.runners.pool import Pool
from pyro_agent.verbs import JOBS, VERBS
from pyro_agent.workers.helper import DiskHelper
from pyro_agent.workers.processes import Workers
from pyro_mcp.guest.greeting import greet
from pyro_mcp.keeper.lines.loop import READ, Loop
from pyro_mcp.keeper.lines.switchboard import Client, Switchboard
from pyro_mcp.keeper.parts import Part
from pyro_wire import messages
from pyro_wire.faults import Fault
from pyro_wire.messages import Message

_HOW_OFTEN = 0.02
ENDED = {"exit_code": 0, "signal": None, "signal_number": None, "oom": False}


class Pretended(Request):
    """A command that does what its first word says."""

    told: list[Message]

    def start(self, message: Message) -> None:
        word, *rest = messages.texts(message, "argv")
        self.listener: socket.socket | None = None
        self._stubborn = word in ("stubborn", "deaf")
        self._deaf = word == "deaf"
        if word == "fail":
            self.send(2, b"boom\n")
            self.answer({**ENDED, "exit_code": 3})
        elif word == "done":
            self.answer(ENDED)
        elif word == "lie":
            self.answer({"exit_code": "none of your business", "signal_number": -1})
        elif word == "crash":
            self.answer({**ENDED, "exit_code": None, "signal": "SEGV", "signal_number": 11})
        elif word == "missing":
            self.fail(Fault("not_found", "no such directory"))
        elif word == "say":
            self.send(1, rest[0].encode())
        elif word == "write":
            Path(rest[0]).write_text("ready")
        elif word == "listen":
            self.listener = socket.create_server(("127.0.0.1", int(rest[0])))

    def on_control(self, message: Message) -> None:
        self.told.append(message)
        if not self._stubborn:
            self.answer({**ENDED, "exit_code": None, "signal": "TERM", "signal_number": 15})

    def on_cancel(self) -> None:
        if not self._deaf:
            self.answer({**ENDED, "exit_code": None, "signal": "KILL", "signal_number": 9, "killed": True})

    def release(self) -> None:
        if self.listener is not None:
            self.listener.close()


class GuestEnd:
    """The agent on a thread of its own."""

    def __init__(self, line: socket.socket, root: Path) -> None:
        self.told: list[Message] = []
        self._socket = line
        self._over = threading.Event()
        self._loop = AgentLoop()
        pool = SimpleNamespace(full=True, attached=False)
        workers = Workers(self._loop, JOBS)
        self.machine = Machine(self._loop, cast("Pool", pool), cast("DiskHelper", None), workers)
        self.dispatcher = Dispatcher(self.machine, VERBS, Outward())
        self.machine.root = os.open(root, os.O_PATH)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        line = AgentLine(self._loop, self._socket.fileno(), {}, self.dispatcher._dispatch)
        self.dispatcher._line = line
        self._tick()
        while not self._over.is_set():
            self._loop.step()
            for request in [each for each in self.dispatcher._requests.values() if not each.resting]:
                request.guarded(request.on_turn)
                if not request.open:
                    self.dispatcher._requests.pop(request.stream, None)
            line.settle()
        self.dispatcher._abandon_all()

    def _tick(self) -> None:
        self._loop.after(_HOW_OFTEN, self._tick)

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        self._socket.close()
        assert self.machine.root is not None
        os.close(self.machine.root)


class KeeperEnd:
    """A keeper's loop on a thread of its own, with one part."""

    def __init__(self, path: Path, line: socket.socket) -> None:
        self.path = path
        self.loop = Loop()
        self.part: Part | None = None
        mux = greet(line, lambda: None)
        self.board = Switchboard(self.loop, line, mux, on_request=self._serve, on_dead=lambda _: None)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self.loop.watch(self._listener, READ, lambda _: self.board.admit(self._listener.accept()[0]))
        self._wake, self._woken = socket.socketpair()
        self.loop.watch(self._woken, READ, lambda _: self.loop.stop())
        self._thread = threading.Thread(target=self.loop.run, daemon=True)

    def run(self, part: Part | None = None) -> None:
        self.part = part
        self._thread.start()

    def stop(self) -> None:
        """Let the loop come to rest; what it holds can be looked at then."""
        if self._thread.is_alive():
            self._wake.send(b"x")
            self._thread.join()

    def close(self) -> None:
        self.stop()
        self.board.close()
        for end in (self._listener, self._wake, self._woken):
            end.close()

    def _serve(self, client: Client, stream: int, message: Message) -> None:
        assert self.part is not None
        self.part.verbs()[str(message["verb"])](client, stream, message)


@contextmanager
def joined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[KeeperEnd, GuestEnd]]:
    """Give both ends of a line, the keeper's not yet running."""
    near, far = socket.socketpair()
    guest = GuestEnd(far, Path("/"))
    pretended = type("Pretended", (Pretended,), {"told": guest.told})
    monkeypatch.setitem(VERBS, "exec", pretended)
    keeper = KeeperEnd(tmp_path / "k.sock", near)
    try:
        yield keeper, guest
    finally:
        keeper.stop()
        guest.close()
        keeper.close()
