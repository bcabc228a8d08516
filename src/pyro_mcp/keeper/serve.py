"""Serve the clients of one machine, and end it when its time has come."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pyro_mcp.errors import PyroError
from pyro_mcp.guest.faults import fault_from
from pyro_mcp.keeper.clocks import PASSIVE, IdleClock
from pyro_mcp.keeper.egress.part import Egress
from pyro_mcp.keeper.jobs.part import Jobs
from pyro_mcp.keeper.lines.loop import READ, Loop
from pyro_mcp.keeper.lines.relaying import relay
from pyro_mcp.keeper.lines.switchboard import Client, Open, Switchboard
from pyro_mcp.keeper.machine.restore import Restored
from pyro_mcp.keeper.machine.snapshot import Snapshots
from pyro_mcp.keeper.parts import Part
from pyro_mcp.keeper.plan import KeeperPlan
from pyro_mcp.keeper.services.part import Services
from pyro_mcp.keeper.shells.part import Shells
from pyro_mcp.qemu.qmp import Value
from pyro_mcp.redaction import Redactor
from pyro_wire import events
from pyro_wire.faults import Fault
from pyro_wire.messages import Message
from pyro_wire.verbs import READING

# Connections that wait to be accepted; a burst of clients must not be refused.
_BACKLOG = 128
# Unmounting takes tens of milliseconds, with much to write back some seconds.
_DETACH_SECONDS = 10.0
# Services may take their time to end: nothing begins meanwhile that would be broken off.
_BEGINNING = frozenset({"keeper.exec", "keeper.shell.open", "keeper.snapshot"})
_STOPPING = Fault(
    "conflict", "the workspace is being stopped", None, "ask again once it has: it is started anew"
)
_STARTED_ANEW = "ask again: it is started anew"
_MAKE_ROOM = "free some disk space (pyro prune), then ask again: it starts from its disk"


class Keeper:
    """A machine and the loop that serves it."""

    def __init__(self, plan: KeeperPlan, machine: Restored, listener: socket.socket) -> None:
        self._plan = plan
        self._machine = machine
        self._listener = listener
        self._loop = Loop()
        self._board = Switchboard(
            self._loop, machine.qemu.agent, machine.mux, on_request=self._serve, on_dead=self._machine_died
        )
        # Nothing that a guest writes is kept or passed on before it has been through this, or a fresh one of it.
        self._redactor = Redactor(plan.secrets)
        egress = Egress(self._loop, self._board, plan.network, self._redactor)
        self._jobs = Jobs(self._board, self._loop.after, self._redactor, egress.refused_since)
        self._board.on_agent_request = egress.opened
        services = self._services = Services(self._loop, self._board, self._redactor, plan.ports)
        shells = self._shells = Shells(self._board, self._loop, self._redactor)
        shells.on_work = self._touch
        self._parts: tuple[Part, ...] = (self._jobs, egress, services, shells)
        self._ending = self._over = False
        self._idle = self._idle_clock()
        self._verbs: dict[str, Open] = {
            "keeper.status": self._status,
            "keeper.stop": self._stop,
            "keeper.idle": self._set_idle,
            "keeper.snapshot": Snapshots(self._board, machine.qemu).take,
        }
        for part in self._parts:
            self._verbs.update(part.verbs())
        listener.setblocking(False)
        self._loop.watch(listener, READ, lambda _: self._accept())
        self._loop.watch(machine.qemu.console, READ, lambda _: self._drain_console())
        machine.qemu.monitor.on_event = self._qemu_says
        self._loop.watch(machine.qemu.monitor, READ, lambda _: self._hear_qemu())
        self._pidfd = os.pidfd_open(machine.qemu.process.pid)
        self._loop.watch(self._pidfd, READ, lambda _: self._machine_died("QEMU ended"))

    def run(self) -> None:
        """Serve until the machine dies, somebody stops it, or the leash is let go."""
        self._end_on_signals()
        self._loop.watch(sys.stdin.fileno(), READ, lambda _: self._feel_leash())
        self._loop.run()
        self._tell_parts("its keeper was ended")
        self._board.close()
        os.close(self._pidfd)

    def _feel_leash(self) -> None:
        """End with whoever started us, unless it has said that we go on."""
        if os.read(sys.stdin.fileno(), 1) and not self._plan.leash.with_client:
            self._loop.forget(sys.stdin.fileno())
        else:
            self._loop.stop()

    def _serve(self, client: Client, stream: int, message: Message) -> None:
        verb = str(message.get("verb"))
        if verb not in PASSIVE:
            self._touch()
        own = self._verbs.get(verb)
        if self._ending and (verb in _BEGINNING or (own is None and verb not in READING)):
            client.answer(stream, _STOPPING)
        elif own is None:
            relay(self._board, client, stream, message)
        else:
            own(client, stream, message)

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return  # the client left again, or descriptors are short: the next one may do better
        self._board.admit(connection)

    def _drain_console(self) -> None:
        if not self._machine.qemu.drain_console():
            self._loop.forget(self._machine.qemu.console)

    def _status(self, client: Client, stream: int, _: Message) -> None:
        about: Message = {
            "pid": os.getpid(),
            "timings": self._machine.timings,
            "running": self._jobs.running,
            "services": self._services.running,
            "shells": self._shells.living,
        }
        client.answer(stream, about)

    # -- ends -----------------------------------------------------------------------------------------------------------

    def _close_door(self) -> None:
        """Let nobody else in: whoever comes from now on finds no machine, and starts one."""
        if self._listener.fileno() >= 0:
            self._loop.forget(self._listener)
            self._listener.close()
        with suppress(OSError):
            self._plan.socket.unlink()

    def _machine_died(self, reason: str) -> None:
        self._close_door()
        with suppress(subprocess.TimeoutExpired):
            self._machine.qemu.process.wait(1.0)  # its line closes a moment before its exit status is known
        death = self._machine.qemu.death(f"the machine died: {reason}")
        death.rewrite(self._redactor.text)  # it may tell the console's last words
        fault = fault_from(death)
        self._end_at_once(Fault(fault.code, fault.brief, fault.details, _STARTED_ANEW))

    def _end_at_once(self, why: Fault) -> None:
        self._close_door()
        self._note_end(why.brief)
        self._tell_parts(why.brief)
        self._board.fail_all(why)
        self._loop.stop()

    def _hear_qemu(self) -> None:
        try:
            self._machine.qemu.monitor.hear()
        except PyroError:
            self._loop.forget(self._machine.qemu.monitor)  # it ended, and is noticed by its process

    def _qemu_says(self, event: str, about: dict[str, Value]) -> None:
        """QEMU stops the machine when the host's disk takes no more: then its last write is not done, and never will be."""
        if event == "BLOCK_IO_ERROR" and about.get("action") == "stop":
            full = Fault("limit_reached", "the host's disk is full: the machine was ended", None, _MAKE_ROOM)
            self._loop.after(0, lambda: self._end_at_once(full))

    def _stop(self, client: Client, stream: int, message: Message) -> None:
        """`keeper.stop` {reason, discard?}: leave a clean disk behind unless nobody wants what is on it, answer, and end."""
        self._wind_down(
            str(message.get("reason", "stopped")),
            lambda: client.answer(stream, {"stopped": True}),
            discard=message.get("discard") is True,
        )

    def _wind_down(self, reason: str, then: Callable[[], None], *, discard: bool = False) -> None:
        """End services, detach the disk, so that the next start has no journal to replay; a guest that does not is cut off."""
        self._ending = True
        ended = False

        def end(event: events.Event | None = None) -> None:
            nonlocal ended
            if ended or not (event is None or isinstance(event, events.Answered | events.Failed)):
                return
            ended = True
            self._close_door()
            self._note_end(reason)
            self._tell_parts(reason)
            self._board.fail_all(
                Fault("guest_failed", f"the workspace was stopped: {reason}", None, _STARTED_ANEW)
            )
            then()
            self._loop.stop()

        def detach() -> None:
            if isinstance(self._board.ask_agent({"verb": "detach"}, end, own=True), Fault):
                end()
            self._loop.after(_DETACH_SECONDS, end)

        if discard:
            end()
        else:
            self._services.wind_down(reason, detach)

    def _tell_parts(self, reason: str) -> None:
        if not self._over:
            self._over = True
            for part in self._parts:
                part.ended(reason)

    def _note_end(self, reason: str) -> None:
        if self._plan.leash.ended is not None:
            with suppress(OSError):
                Path(self._plan.leash.ended).write_text(reason)

    def _idle_clock(self) -> IdleClock | None:
        seconds = self._plan.leash.idle_stop_seconds
        if seconds is None:
            return None
        return IdleClock(self._loop, seconds, self._busy, self._stop_idle)

    def _touch(self) -> None:
        if self._idle is not None:
            self._idle.touch()

    def _busy(self) -> bool:
        return self._board.requests > 0 or any(part.busy for part in self._parts)

    def _stop_idle(self) -> None:
        self._close_door()  # whoever comes now waits until it has ended, and starts it anew
        self._wind_down("it was idle", lambda: None)

    def _set_idle(self, client: Client, stream: int, message: Message) -> None:
        """`keeper.idle` {seconds}: another patience."""
        seconds = message.get("seconds")
        if self._idle is not None and isinstance(seconds, int) and seconds > 0:
            self._idle.change(seconds)
        client.answer(stream, {})

    def _end_on_signals(self) -> None:
        near, far = socket.socketpair()
        for end in (near, far):
            end.setblocking(False)
        signal.set_wakeup_fd(far.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: None)
        self._signals = (near, far)
        self._loop.watch(near, READ, lambda _: self._loop.stop())
