"""Verb `exec`: run one command, stream its input and output, and leave nothing of it behind."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass

from pyro_agent.base.loop import READ, Timer
from pyro_agent.commands.pipes import InputPipe, OutputPipe
from pyro_agent.requests.request import Request
from pyro_agent.runners.command import Command
from pyro_agent.runners.runner import Runner
from pyro_wire import messages
from pyro_wire.faults import Fault, FaultError
from pyro_wire.messages import Message, MessageError


@dataclass(slots=True)
class Outcome:
    """What is known of a command's end; pure, so that every order of events can be tested."""

    status: int | None = None  # as waitpid gives it; None: it never got to say
    fault: Fault | None = None
    timed_out: bool = False
    killed: bool = False  # because the host cancelled
    over: bool = False  # it and everything it started are gone
    left: bool = False  # it ended by itself, and something it had started did not

    @property
    def known(self) -> bool:
        """Tell whether the command itself has ended, whatever may still be dying."""
        return self.status is not None or self.fault is not None or self.over

    def take(self, reports: bytes) -> None:
        """Learn from the lines that the runner wrote."""
        for line in reports.splitlines():
            report = messages.unpack(line)
            if "fault" in report and isinstance(report["fault"], dict):
                self.fault = self.fault or Fault.from_message(report["fault"])
            elif "broken" in report:
                self.fault = Fault("guest_failed", "the command could not be started", str(report["broken"]))
            elif self.status is None and not (self.timed_out or self.killed):
                self.status = messages.integer(report, "status", low=0, high=0xFFFF)
                # Nothing else lived in its namespace: no need to wait until the kernel has taken that down.
                alone = messages.flag(report, "alone", default=False)
                self.over, self.left = self.over or alone, not alone

    def to_message(self, *, duration_ms: int, oom: bool) -> Message:
        """Return the answer."""
        code = None if self.status is None else os.waitstatus_to_exitcode(self.status)
        number = signal.SIGKILL if code is None else max(0, -code)
        return {
            "exit_code": code if code is not None and code >= 0 else None,
            "signal": signal_name(number) if number else None,
            "signal_number": int(number) or None,
            "timed_out": self.timed_out,
            "killed": self.killed,
            "oom": oom,
            "left_running": self.left,
            "duration_ms": duration_ms,
        }


def signal_name(number: int) -> str:
    """Return the name without SIG; the plain number for one that has none."""
    try:
        return signal.Signals(number).name.removeprefix("SIG")
    except ValueError:
        return str(number)


def signal_number(message: Message) -> int:
    """Read a `{"signal": "INT"}` message."""
    name = messages.text(message, "signal")
    number = getattr(signal, f"SIG{name}", None) if name.isupper() or name.isalnum() else None
    if not isinstance(number, signal.Signals):
        raise MessageError(f"signal: there is no {name!r}")
    return number


class Exec(Request):
    """One command from request to answer."""

    _runner: Runner | None = None
    _timer: Timer | None = None

    def start(self, message: Message) -> None:
        """Hand the command to a runner and stand by its pipes."""
        command = Command.from_message(message)
        if self.machine.root is None:
            raise FaultError("conflict", "this machine has no disk yet", hint="attach one first")
        loop = self.machine.loop
        self._outcome = Outcome()
        self._reports = bytearray()
        self._started = time.monotonic()
        self._duration_ms = 0
        self._dead = False  # its PID 1, too
        self._runner = runner = self.machine.start_command(command)
        self.open_streams(runner)
        os.set_blocking(runner.status, False)
        loop.watch(runner.status, READ, lambda _: self.guarded(self._read_reports))
        loop.watch(runner.pidfd, READ, lambda _: self.guarded(self._on_death))
        if not command.stdin:
            self._stdin.end()
        if command.timeout_ms is not None:
            self._timer = loop.after(command.timeout_ms / 1000, lambda: self.guarded(self._on_timeout))

    def open_streams(self, runner: Runner) -> None:
        """Tie the command's pipes to the stream."""
        loop = self.machine.loop
        self._stdin = InputPipe(loop, runner.stdin, self)
        self._outputs = [OutputPipe(loop, runner.stdout, self, 1), OutputPipe(loop, runner.stderr, self, 2)]

    def on_data(self, payload: bytes) -> None:
        """Pass input on."""
        self._stdin.write(payload)

    def on_ended(self) -> None:
        """Close the command's stdin."""
        self._stdin.end()

    def on_control(self, message: Message) -> None:
        """Signal the command's process group, or all it started (`everything`); what comes too late is ignored."""
        number = signal_number(message)
        everything = messages.flag(message, "everything", default=False)
        if self._runner is not None and not self._outcome.known:
            try:
                if everything:
                    self._runner.signal_all(number)
                else:
                    self._runner.signal_group(number)
            except (ProcessLookupError, FileNotFoundError):
                return

    def on_cancel(self) -> None:
        """Kill the command and all it started."""
        if not self._outcome.known:
            self._outcome.killed = True
            self._kill()

    def on_turn(self) -> None:
        """Read the pipes only as fast as the host takes their bytes; answer when all is said."""
        for output in self._outputs:
            if self._outcome.over:
                output.drain()
            output.on_turn()
        if self._outcome.over and all(output.finished for output in self._outputs):
            self._conclude()

    def release(self) -> None:
        """Kill what still lives and give everything back."""
        if self._timer is not None:
            self._timer.cancel()
        runner, self._runner = self._runner, None
        if runner is None:
            return
        loop = self.machine.loop
        self._stdin.close()
        for output in self._outputs:
            output.close()
        for descriptor in (runner.status, runner.pidfd):
            loop.forget(descriptor)
        os.close(runner.status)
        self.machine.bury(runner, dead=self._dead, over=self._outcome.over)

    def _on_timeout(self) -> None:
        if not self._outcome.known:
            self._outcome.timed_out = True
            self._kill()

    def _kill(self) -> None:
        assert self._runner is not None
        self._note_end()  # how long it ran, not how long a thousand processes take to die
        self._runner.cgroup.kill()

    def _read_reports(self) -> None:
        assert self._runner is not None
        try:
            part = os.read(self._runner.status, 65536)
        except BlockingIOError:
            return
        if part:
            self._reports += part
        else:
            self.machine.loop.forget(self._runner.status)
        if self._reports.endswith(b"\n"):
            self._outcome.take(bytes(self._reports))
            self._reports.clear()
            self._note_end()

    def _on_death(self) -> None:
        assert self._runner is not None
        self._read_reports()
        self._note_end()
        self._dead = self._outcome.over = True
        self.machine.loop.forget(self._runner.pidfd)

    def _note_end(self) -> None:
        self._duration_ms = self._duration_ms or round((time.monotonic() - self._started) * 1000)

    def _conclude(self) -> None:
        assert self._runner is not None
        if self._outcome.fault is not None:
            self.fail(self._outcome.fault)
        else:
            oom = self._runner.cgroup.ran_out_of_memory()
            self.answer(self._outcome.to_message(duration_ms=self._duration_ms, oom=oom))
