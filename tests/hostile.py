"""A guest that has turned on its keeper: attacks over the agent's line, and a real keeper in a process of its own.

Root in a guest cannot have the port while the agent holds it, and killing the agent ends the machine; so what is played here is
the agent itself, taken over. Run as a program, this is that keeper: `python -m tests.hostile DESCRIPTOR DIRECTORY`.
"""

import json
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from pyro_mcp.errors import PyroError
from pyro_mcp.guest.channel import Channel
from pyro_mcp.guest.greeting import greet
from pyro_mcp.host.waiting import wait_until
from pyro_mcp.keeper.machine.restore import Restored
from pyro_mcp.keeper.plan import Identity, KeeperPlan, Leash
from pyro_mcp.keeper.serve import Keeper
from pyro_mcp.qemu.launch import Launch
from pyro_mcp.qemu.process import Qemu
from pyro_mcp.qemu.qmp import Monitor
from pyro_mcp.qemu.templates import Template
from pyro_wire import events
from pyro_wire.frames import HEADER, MAGIC, MAX_PAYLOAD, Kind, encode
from pyro_wire.messages import Message
from pyro_wire.mux import Mux

KEEPER_MIB = 64
_ROOT = Path(__file__).parents[1]
# An attack gives bytes to send, without end or until it has nothing more to say. It knows the request's stream.
Attack = Callable[[int, random.Random], Iterator[bytes]]


def _garbage(_: int, chance: random.Random) -> Iterator[bytes]:
    while True:
        yield chance.randbytes(chance.randrange(1, 100_000))


def _giant_lengths(stream: int, chance: random.Random) -> Iterator[bytes]:
    for kind in Kind:
        yield HEADER.pack(MAGIC, kind, 0, stream, chance.choice([MAX_PAYLOAD + 1, 2**31, 2**32 - 1]))


def _half_a_frame(stream: int, _: random.Random) -> Iterator[bytes]:
    yield encode(Kind.DATA, stream, bytes(1000), 1)[:500]


def _a_frame_in_crumbs(stream: int, chance: random.Random) -> Iterator[bytes]:
    while True:
        for byte in encode(Kind.CONTROL, stream, b'{"a":1}'):
            yield bytes([byte])


def _data_without_end(stream: int, _: random.Random) -> Iterator[bytes]:
    """More than was granted: never waits for credit."""
    while True:
        yield encode(Kind.DATA, stream, bytes(MAX_PAYLOAD), 1)


def _controls_without_end(stream: int, _: random.Random) -> Iterator[bytes]:
    """No credit bounds these: whoever is asked to pass them on must not keep them."""
    large = json.dumps({"x": "y" * 60_000}).encode()
    while True:
        yield encode(Kind.CONTROL, stream, large)


def _opens_without_end(_: int, __: random.Random) -> Iterator[bytes]:
    for stream in range(2, 2**32 - 2, 2):
        yield encode(Kind.OPEN, stream, b'{"verb":"exec"}')


def _greetings_without_end(_: int, __: random.Random) -> Iterator[bytes]:
    while True:
        yield encode(Kind.HELLO, 0, b'{"nonce":"x","version":1}')


def _credit_for_nothing(stream: int, _: random.Random) -> Iterator[bytes]:
    while True:
        yield encode(Kind.CREDIT, stream, (2**32 - 1).to_bytes(4, "big"))


def _out_of_order(stream: int, chance: random.Random) -> Iterator[bytes]:
    """Each frame is fine by itself."""
    while True:
        kind = chance.choice(list(Kind))
        payload = chance.choice([b"", b"{}", b'{"a":1}', b"\0\0\0\1", b'{"code":"x","brief":"y"}'])
        yield encode(kind, chance.choice([0, 1, 2, stream, stream + 2]), payload, chance.randrange(4))


def _answers_of_any_shape(stream: int, chance: random.Random) -> Iterator[bytes]:
    shapes = [
        b"[" * 60_000,
        b'{"a":' * 10_000,
        b"null",
        b"\xff\xfe",
        b'{"exit_code":{"b":NaN}}',
        b'"' + b"x" * 60_000,
    ]
    yield encode(Kind.ANSWER, stream, chance.choice(shapes))


def _an_unknown_fault(stream: int, _: random.Random) -> Iterator[bytes]:
    yield encode(Kind.FAULT, stream, b'{"code":"SystemExit","brief":"' + b"\\u001b[31m" * 5000 + b'"}')


ATTACKS: tuple[Attack, ...] = (
    _garbage,
    _giant_lengths,
    _half_a_frame,
    _a_frame_in_crumbs,
    _data_without_end,
    _controls_without_end,
    _opens_without_end,
    _greetings_without_end,
    _credit_for_nothing,
    _out_of_order,
    _answers_of_any_shape,
    _an_unknown_fault,
)


def named(attack: Attack) -> str:
    """Say what an attack does, as a test's id."""
    return attack.__name__.strip("_")


@dataclass
class Agent:
    """Greets and waits for a request like a good one, then attacks for `seconds`."""

    line: socket.socket
    attack: Attack
    chance: random.Random
    seconds: float
    sent: int = 0
    _mux: Mux = field(default_factory=lambda: Mux(initiator=False))

    def run(self) -> None:
        with self.line, suppress(OSError):
            stream = self._request()
            self.line.settimeout(0.2)
            until = time.monotonic() + self.seconds
            for data in self.attack(stream, self.chance):
                while time.monotonic() < until and not self._send(data):
                    pass
                if time.monotonic() >= until:
                    break
            while time.monotonic() < until and self._drained():
                pass

    def _request(self) -> int:
        while data := self.line.recv(65536):
            for event in self._mux.receive(data):
                if isinstance(event, events.Opened):
                    return event.stream
            while self._mux.backlog:
                self._mux.wrote(self.line.send(self._mux.outgoing()))
        raise OSError("the keeper left before it asked")

    def _send(self, data: bytes) -> bool:
        """False while the keeper does not take it: then it is offered again, but for what went out."""
        try:
            self.line.sendall(data)
        except TimeoutError:
            return False  # a part of it may have gone: that only makes it worse
        self.sent += len(data)
        return True

    def _drained(self) -> bool:
        try:
            return bool(self.line.recv(65536))
        except TimeoutError:
            return True


@dataclass
class Victim:
    """A keeper whose agent attacks it."""

    process: "subprocess.Popen[bytes]"
    path: Path
    directory: Path

    def ask(self, message: Message, timeout: float) -> Message | PyroError:
        """Be a client, and give what came of it; anything but a typed error is the test's failure."""
        try:
            with Channel(self.path) as channel:
                return channel.ask(message, timeout=timeout, on_data=lambda *_: None)
        except PyroError as error:
            return error

    def ask_and_not_listen(self, message: Message) -> socket.socket:
        """Be a client that asks and then reads nothing any more."""
        line = socket.socket(socket.AF_UNIX)
        line.connect(str(self.path))
        mux = Mux(initiator=True)
        mux.hello("deaf")
        while not mux.greeted:
            mux.wrote(line.send(mux.outgoing()))
            mux.receive(line.recv(65536))
        mux.open(message)
        line.sendall(mux.outgoing())
        return line

    def peak_mib(self) -> int:
        """The most memory it ever had."""
        with suppress(OSError, StopIteration):
            lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
            return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) // 1024
        return int((self.directory / "peak").read_text()) // 1024  # it has ended


@contextmanager
def attacked(directory: Path, attack: Attack, *, seed: str, seconds: float) -> Iterator[Victim]:
    """Give a keeper that is attacked as soon as it passes on a request."""
    near, far = socket.socketpair()
    path = directory / "keeper.sock"
    path.unlink(missing_ok=True)
    agent = Agent(far, attack, random.Random(seed), seconds)
    thread = threading.Thread(target=agent.run)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.hostile", str(near.fileno()), str(directory)],
        pass_fds=[near.fileno()],
        stdin=subprocess.PIPE,  # the leash: held as long as we live
        stderr=subprocess.PIPE,
        cwd=_ROOT,
    )
    near.close()
    thread.start()
    with process:
        try:
            wait_until(path.exists, what="the keeper", timeout=20)
            yield Victim(process, path, directory)
        finally:
            process.terminate()
            thread.join()


def _hold(descriptor: int, directory: Path) -> None:
    """Be a keeper whose QEMU does nothing, and whose last words are how much memory it needed."""
    agent = socket.socket(fileno=descriptor)
    console, _far = socket.socketpair()
    monitor, _silent = socket.socketpair()
    nothing = Path("/dev/null")
    with subprocess.Popen(["sleep", "600"]) as process, socket.socket(socket.AF_UNIX) as listener:
        try:
            mux = greet(agent, lambda: None)
            listener.bind(str(directory / "new.sock"))
            listener.listen()
            (directory / "new.sock").rename(directory / "keeper.sock")
            qemu = Qemu(process, ["sleep"], Monitor(monitor), agent, console, nothing)
            plan = KeeperPlan(
                "played",
                directory,
                directory / "keeper.sock",
                cast(Launch, None),
                cast(Template, None),
                Identity("played", ""),
                seeded=False,
                leash=Leash(with_client=False),
            )
            Keeper(plan, Restored(qemu, mux, {}), listener).run()
        finally:
            process.kill()
    status = Path("/proc/self/status").read_text().splitlines()
    (directory / "peak").write_text(next(line.split()[1] for line in status if line.startswith("VmHWM:")))


if __name__ == "__main__":
    _hold(int(sys.argv[1]), Path(sys.argv[2]))
