"""Hold one machine: restore it, serve its clients, end it when its time has come."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from contextlib import suppress

from pyro_mcp.errors import PyroError
from pyro_mcp.guest.faults import fault_from
from pyro_mcp.keeper.loop import READ, Loop
from pyro_mcp.keeper.places import KEEP_LOGS, remove
from pyro_mcp.keeper.plan import KeeperPlan
from pyro_mcp.keeper.restore import Restored, restored
from pyro_mcp.keeper.switchboard import Client, Switchboard, Verb
from pyro_wire.faults import Fault
from pyro_wire.messages import Message

# Connections that wait to be accepted; a burst of clients must not be refused.
_BACKLOG = 128


class Keeper:
    """A machine and the loop that serves it."""

    def __init__(self, plan: KeeperPlan, machine: Restored, listener: socket.socket) -> None:
        self._plan = plan
        self._machine = machine
        self._listener = listener
        self._loop = Loop()
        verbs: dict[str, Verb] = {"keeper.status": self._status, "keeper.stop": self._stop}
        self._board = Switchboard(self._loop, machine.qemu.agent, machine.mux, verbs, self._machine_died)
        listener.setblocking(False)
        self._loop.watch(listener, READ, lambda _: self._accept())
        self._loop.watch(machine.qemu.console, READ, lambda _: self._drain_console())
        self._pidfd = os.pidfd_open(machine.qemu.process.pid)
        self._loop.watch(self._pidfd, READ, lambda _: self._machine_died("QEMU ended"))

    def serve(self) -> None:
        """Serve until the machine dies, somebody stops it, or the leash is let go."""
        self._end_on_signals()
        if self._plan.leash.with_client:
            self._loop.watch(sys.stdin.fileno(), READ, lambda _: self._loop.stop())
        self._loop.run()
        self._board.close()
        os.close(self._pidfd)

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return  # the client left again, or descriptors are short: the next one may do better
        self._board.admit(connection, lambda _: None)

    def _drain_console(self) -> None:
        if not self._machine.qemu.drain_console():
            self._loop.forget(self._machine.qemu.console)

    def _machine_died(self, reason: str) -> None:
        self._board.fail_all(fault_from(self._machine.qemu.death(f"the machine died: {reason}")))
        self._loop.stop()

    def _status(self, client: Client, stream: int, _: Message) -> None:
        client.line.mux.answer(stream, {"pid": os.getpid(), "timings": self._machine.timings})

    def _stop(self, client: Client, stream: int, _: Message) -> None:
        self._board.fail_all(Fault("conflict", "the machine was stopped", None, None))
        client.line.mux.answer(stream, {"stopped": True})
        client.line.update()
        self._loop.stop()

    def _end_on_signals(self) -> None:
        near, far = socket.socketpair()
        for end in (near, far):
            end.setblocking(False)
        signal.set_wakeup_fd(far.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: None)
        self._signals = (near, far)
        self._loop.watch(near, READ, lambda _: self._loop.stop())


def main() -> None:
    """Read the plan from standard input, report on standard output, and serve."""
    plan = KeeperPlan.from_json(_first_line(sys.stdin.fileno()))
    try:
        _hold(plan)
    except PyroError as error:
        _report({"fault": fault_from(error).to_message()})
        sys.exit(1)
    finally:
        with suppress(OSError):
            plan.socket.unlink()
        if plan.leash.with_client:
            remove(plan.directory)


def _hold(plan: KeeperPlan) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(os.fspath(plan.socket))
        listener.listen(_BACKLOG)
        with restored(plan) as machine:
            keeper = Keeper(plan, machine, listener)
            _report({"ready": machine.timings})
            keeper.serve()
            if KEEP_LOGS in os.environ:
                (plan.directory / "console.log").write_bytes(machine.qemu.console_tail())


def _first_line(descriptor: int) -> str:
    """The plan is one line; what keeps the pipe open after it is the leash."""
    received = b""
    while not received.endswith(b"\n"):
        chunk = os.read(descriptor, 65536)
        if not chunk:
            sys.exit("pyro keeper: whoever started me ended before it told me what to hold")
        received += chunk
    return received.decode()


def _report(message: Message) -> None:
    """Tell who started us, once; it may be gone."""
    with suppress(OSError):
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)
