"""Start one QEMU, hold its sockets, notice its death, and never leave it behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Self

from pyro_mcp.errors import GuestFailed, HostUnfit
from pyro_mcp.host.processes import below, has_ended
from pyro_mcp.qemu.command import arguments
from pyro_mcp.qemu.confine import wall_in
from pyro_mcp.qemu.launch import Launch
from pyro_mcp.qemu.opening import call_filter, descriptors_of, needs_of, open_machine
from pyro_mcp.qemu.qmp import Monitor

# Serial output kept for a report: a guest can write to its console without end.
CONSOLE_KEPT = 64 * 1024
_WORDS_KEPT = 4000
_COMMAND = "command: "
# QEMU greets in 50 ms; a host that swaps may take seconds.
GREETING_SECONDS = 20.0
# A killed process with a gigabyte of memory is gone within 100 ms; a swapping host needs longer.
_DEATH_SECONDS = 10.0


@dataclass(slots=True)
class Qemu:
    """A running QEMU. Whoever holds it must end it: `kill`, or use it in a `with` block."""

    process: subprocess.Popen[bytes]
    command: list[str]
    monitor: Monitor
    agent: socket.socket
    console: socket.socket
    log: Path
    _console_tail: bytearray = field(default_factory=bytearray)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def check_alive(self) -> None:
        """Raise GuestFailed with exit code and last words once QEMU has ended."""
        if not self.alive:
            raise self.death("QEMU ended by itself")

    def death(self, brief: str) -> GuestFailed:
        """Make the error that tells how QEMU ended or what it last said."""
        self.drain_console()
        code = self.process.poll()
        ending = "still running" if code is None else f"exit {code}" if code >= 0 else f"signal {-code}"
        words = self._last_words()
        console = bytes(self._console_tail).decode(errors="replace")[-_WORDS_KEPT:]
        return GuestFailed(
            f"{brief} ({ending})",
            details=f"QEMU said: {words.strip()}\nconsole: {console.strip()}",
            hint="`pyro doctor` tells whether this host can run machines",
        )

    def _last_words(self) -> str:
        """What it wrote to its log, below the line that it was started with, which fills a screen."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        lines = (line for line in text.splitlines() if not line.startswith(_COMMAND))
        return "\n".join(lines)[-_WORDS_KEPT:]

    def drain_console(self) -> bool:
        """Take what the guest wrote to its serial line, so that it never blocks on it; keep only the tail.

        Returns whether more can come.
        """
        try:
            chunk = self.console.recv(CONSOLE_KEPT, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self._console_tail += chunk
        del self._console_tail[:-CONSOLE_KEPT]
        return bool(chunk)

    def console_tail(self) -> bytes:
        return bytes(self._console_tail)

    def watch(self, seconds: float, brief: str) -> Callable[[], None]:
        """Give a check that raises once QEMU is dead or the time is up, with the console in hand."""
        deadline = time.monotonic() + seconds

        def check() -> None:
            self.drain_console()
            self.check_alive()
            if time.monotonic() > deadline:
                raise self.death(brief)

        return check

    def kill(self) -> None:
        """End QEMU at once and give back everything held for it.

        Behind walls QEMU is a child of the process that was started and dies with it, but a moment later: until then it has the
        disk open, which whoever waits for the machine's end may want to unmount or to remove.
        """
        inside = below(self.process.pid)
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        for process in inside:
            has_ended(process, _DEATH_SECONDS)
        for end in (self.agent, self.console):
            end.close()
        self.monitor.close()


def launch(plan: Launch, memory: int, *, memory_shared: bool, file_bytes: int = 0) -> Qemu:
    """Start QEMU confined, with guest memory in the descriptor `memory`, and take its monitor's greeting.

    `file_bytes`: how large a file it may write that is no drive of its own, and is handed to it later.

    Raises HostUnfit when the program cannot be started, GuestFailed when it dies before it answers.
    """
    with ExitStack() as ours, ExitStack() as theirs:
        monitor, monitor_far = _pair(ours, theirs)
        console, console_far = _pair(ours, theirs)
        agent, agent_far = _pair(ours, theirs)
        machine = open_machine(plan, theirs, memory, memory_shared, monitor_far, console_far, agent_far)
        seccomp = call_filter(theirs) if plan.walls.level == "full" else None
        command = wall_in(
            arguments(machine), plan.walls, needs_of(plan, machine, file_bytes), filter_fd=seccomp
        )
        log = theirs.enter_context(plan.log.open("ab", buffering=0))
        log.write(f"{_COMMAND}{' '.join(command)}\n".encode(errors="surrogateescape"))
        process = _spawn(command, log, [memory, *descriptors_of(machine), *([seccomp] if seccomp else [])])
        qemu = Qemu(process, command, Monitor(monitor), agent, console, plan.log)
        ours.callback(qemu.kill)
        theirs.close()
        with telling_death(qemu, "QEMU did not start"):
            qemu.monitor.negotiate(time.monotonic() + GREETING_SECONDS)
        ours.pop_all()
        return qemu


@contextmanager
def telling_death(qemu: Qemu, brief: str) -> Iterator[None]:
    """Turn a monitor's failure inside the block into the error that tells how QEMU ended."""
    try:
        yield
    except GuestFailed as error:
        with suppress(subprocess.TimeoutExpired):
            qemu.process.wait(1.0)  # a closed monitor runs ahead of the exit status by a moment
        raise qemu.death(f"{brief}: {error.brief}") from error


def _pair(ours: ExitStack, theirs: ExitStack) -> tuple[socket.socket, socket.socket]:
    near, far = socket.socketpair()
    ours.callback(near.close)
    theirs.callback(far.close)
    return near, far


def _spawn(command: list[str], log: IO[bytes], inherited: list[int]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=inherited,
            start_new_session=True,
            env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C"},
        )
    except OSError as error:
        raise HostUnfit(f"{command[0]} cannot be started", details=str(error)) from error
