"""Processes beside the agent that walk, hash, search and write files, so that its loop never waits for a disk.

One is forked before the freeze and waits; it does job after job. While it works, more are forked.
"""

from __future__ import annotations

import os
import resource
import signal
import socket
import sys
from collections import deque
from typing import NoReturn, Protocol

from pyro_agent.base.log import say
from pyro_agent.base.loop import READ, WRITE, Loop
from pyro_agent.workers.desk import ANSWER, DATA, LARGEST, Job, serve
from pyro_wire import messages
from pyro_wire.faults import Fault, FaultError
from pyro_wire.frames import Buffer
from pyro_wire.messages import Message
from pyro_wire.mux import DATA_PIECE

# As many at work at once; further jobs wait. Two CPUs at most have something to do for them.
_MOST = 6
_IDLE = 2
_BUFFER = memoryview(bytearray(LARGEST))
# Behind the agent, before the commands: a file is written quickly beside a busy build.
_NICER = 5
# A path of 4 KiB has up to 2,048 directories; a walk holds a descriptor and some calls for each.
_DEEPEST = 16384


class Customer(Protocol):
    """Who has a job done, and is told how it goes."""

    message: Message
    worker: Worker | None
    open: bool

    @property
    def room(self) -> int:
        """How many bytes `send` takes now."""

    def send(self, channel: int, data: Buffer) -> int:
        """Take what the job gives."""

    def consumed(self, count: int) -> None:
        """Learn that so many bytes of the body have gone on."""

    def conclude(self, result: Message | Fault) -> None:
        """Take the job's last word."""

    def fail(self, fault: Fault) -> None:
        """Learn that there will be no last word."""


class Workers:
    """All of them."""

    def __init__(self, loop: Loop, jobs: dict[str, Job]) -> None:
        """Prepare; `jobs` is what workers can do, by verb."""
        self.loop = loop
        self._jobs = jobs
        self._idle: list[Worker] = []
        self._count = 0
        self._waiting: deque[Customer] = deque()

    def stand_by(self) -> None:
        """Have one ready."""
        if not self._idle:
            self._idle.append(self._fork())

    def employ(self, work: Customer) -> None:
        """Give a request a worker now, or as soon as one is free."""
        if self._idle:
            self._idle.pop().begin(work)
        elif self._count < _MOST:
            self._fork().begin(work)
        else:
            self._waiting.append(work)

    def freed(self, worker: Worker) -> None:
        """Take back a worker that has done its job."""
        work = self._next_waiting()
        if work is not None:
            worker.begin(work)
        elif len(self._idle) < _IDLE:
            self._idle.append(worker)
        else:
            worker.close()

    def lost(self, worker: Worker) -> None:
        """Learn that a worker is gone, and let another do what waits."""
        self._count -= 1
        if worker in self._idle:
            self._idle.remove(worker)
        work = self._next_waiting()
        if work is not None:
            self.employ(work)

    def _next_waiting(self) -> Customer | None:
        while self._waiting:
            work = self._waiting.popleft()
            if work.open:
                return work
        return None

    def _fork(self) -> Worker:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            pid = os.fork()
        except OSError as error:
            ours.close()
            theirs.close()
            raise FaultError("limit_reached", f"the machine cannot start a worker: {error}") from error
        if not pid:
            _be_worker(theirs, self._jobs)
        theirs.close()
        self._count += 1
        return Worker(self, pid, ours)


def _be_worker(line: socket.socket, jobs: dict[str, Job]) -> NoReturn:
    try:
        own = line.fileno()
        os.closerange(3, own)
        os.closerange(own + 1, 65536)
        os.nice(_NICER)
        sys.setrecursionlimit(_DEEPEST)
        resource.setrlimit(resource.RLIMIT_NOFILE, (_DEEPEST, _DEEPEST))
        serve(line, jobs)
    finally:
        os._exit(0)


class Worker:
    """The agent's end of one."""

    def __init__(self, workers: Workers, pid: int, line: socket.socket) -> None:
        self._workers = workers
        self._loop = workers.loop
        self._pid = pid
        self._line = line
        self._work: Customer | None = None
        self._busy = False
        self._inward: deque[bytes] = deque()  # at most one window: credit follows what was passed on
        line.setblocking(False)
        self._listening = False
        self.listen(True)

    def begin(self, work: Customer) -> None:
        """Hand a job over; the worker waits for one, so its line is empty."""
        self._work, self._busy = work, True
        work.worker = self
        self._inward.clear()
        self._send(b"J" + messages.pack(work.message))

    def _send(self, packet: bytes) -> None:
        self._inward.append(packet)
        if len(self._inward) == 1:
            self._pass_on()

    def data(self, payload: bytes) -> None:
        """Pass a piece of the body on."""
        self._send(b"D" + payload)

    def end(self) -> None:
        """Pass on that the body has ended."""
        self._send(b"E")

    def give_up(self) -> None:
        """Ask for an early end of the job; what has passed the point of no return is finished."""
        self._inward.clear()
        self._send(b"X")

    def let_go(self) -> None:
        """Lose interest in the job; what it still says is dropped."""
        self._work = None
        self.listen(True)

    def kill(self) -> None:
        """End it in the middle of its job."""
        os.kill(self._pid, signal.SIGKILL)
        self.let_go()

    def close(self) -> None:
        """Let it go: it ends when its line does."""
        self._loop.forget(self._line.fileno())
        self._line.close()
        os.waitpid(self._pid, 0)
        self._workers.lost(self)

    def listen(self, on: bool) -> None:
        """Take what the worker says, or let it wait."""
        self._listening = on
        self._watch()

    def _watch(self) -> None:
        mask = (READ if self._listening else 0) | (WRITE if self._inward else 0)
        if mask:
            self._loop.watch(self._line.fileno(), mask, self._ready)
        else:
            self._loop.forget(self._line.fileno())  # a hang-up would be reported over and over

    def _ready(self, ready: int) -> None:
        if ready & WRITE:
            self._pass_on()
        if ready & ~WRITE:
            self._take()

    def _pass_on(self) -> None:
        while self._inward:
            try:
                self._line.send(self._inward[0])
            except BlockingIOError:
                break
            except OSError:
                self._inward.clear()
                break
            packet = self._inward.popleft()
            if packet[0] == DATA and self._work is not None:
                self._work.consumed(len(packet) - 1)
        self._watch()

    def _take(self) -> None:
        work = self._work
        if work is not None and work.room < DATA_PIECE:
            self.listen(False)
            return
        try:
            size = self._line.recv_into(_BUFFER)
        except BlockingIOError:
            return
        except OSError:
            size = 0
        if not size:
            self._on_death()
        elif _BUFFER[0] == DATA:
            if work is not None:
                work.send(1, _BUFFER[1:size])
        elif self._busy:
            self._on_result(_BUFFER[0] == ANSWER, messages.unpack(_BUFFER[1:size]))

    def _on_result(self, good: bool, message: Message) -> None:
        work, self._work, self._busy = self._work, None, False
        self._inward.clear()
        if work is not None:
            work.worker = None
            work.conclude(message if good else Fault.from_message(message))
        self._workers.freed(self)

    def _on_death(self) -> None:
        work, self._work = self._work, None
        if work is not None:
            say(f"a worker has died: {self._pid}")
            work.worker = None
            work.fail(Fault("guest_failed", "the process that worked on it died", None, "ask again"))
        self.close()
