"""Start one QEMU, hold its sockets, notice its death, and never leave it behind."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Literal, Self

from pyro_mcp.errors import GuestFailed, HostUnfit
from pyro_mcp.qemu.command import Accelerator, Drive, Layer, Machine, arguments
from pyro_mcp.qemu.confine import Needs, Walls, wall_in
from pyro_mcp.qemu.installed import QemuInstall
from pyro_mcp.qemu.qmp import Monitor
from pyro_mcp.qemu.syscalls import system_call_filter

# Serial output kept for a report: a guest can write to its console without end.
CONSOLE_KEPT = 64 * 1024
_WORDS_KEPT = 4000
# What QEMU writes beside disks: a template's state (75 KB) and its own log.
_SMALL_FILES = 64 << 20
# QEMU greets in 50 ms; a host that swaps may take seconds.
GREETING_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class LayerFile:
    """One file of a drive, on this host."""

    path: Path
    format: Literal["raw", "qcow2"] = "raw"


@dataclass(frozen=True, slots=True)
class DriveFiles:
    """A drive of a machine to be launched: its layers from the base up."""

    name: str
    layers: tuple[LayerFile, ...]
    writable: bool = False


@dataclass(frozen=True, slots=True)
class Launch:
    """One QEMU to start: what it is, and the walls around it."""

    name: str
    install: QemuInstall
    accelerator: Accelerator
    cpu: str
    vcpu_count: int
    mem_mib: int
    kernel: Path
    initrd: Path
    kernel_arguments: tuple[str, ...]
    drives: tuple[DriveFiles, ...]
    walls: Walls
    incoming: bool
    log: Path
    # Never to run: what is wanted is QEMU's hand on the disks (flatten.py).
    paused: bool = False


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
        """Raise GuestFailed with exit code, command line and last words once QEMU has ended."""
        if not self.alive:
            raise self.death("QEMU ended by itself")

    def death(self, brief: str) -> GuestFailed:
        """Make the error that tells how QEMU ended or what it last said."""
        self.drain_console()
        code = self.process.poll()
        ending = "still running" if code is None else f"exit {code}" if code >= 0 else f"signal {-code}"
        words = self.log.read_text(errors="replace")[-_WORDS_KEPT:] if self.log.exists() else ""
        console = bytes(self._console_tail).decode(errors="replace")[-_WORDS_KEPT:]
        return GuestFailed(
            f"{brief} ({ending})",
            details=f"command: {' '.join(self.command)}\nQEMU said: {words.strip()}\nconsole: {console.strip()}",
            hint="`pyro doctor` tells whether this host can run machines",
        )

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

    def kill(self) -> None:
        """End QEMU at once and give back everything held for it."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
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
        machine = _machine(plan, theirs, memory, memory_shared, monitor_far, console_far, agent_far)
        seccomp = call_filter(theirs) if plan.walls.level == "full" else None
        command = wall_in(
            arguments(machine), plan.walls, _needs(plan, machine, file_bytes), filter_fd=seccomp
        )
        log = theirs.enter_context(plan.log.open("ab"))
        process = _spawn(command, log, [memory, *_descriptors(machine), *([seccomp] if seccomp else [])])
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


def _machine(
    plan: Launch,
    files: ExitStack,
    memory: int,
    memory_shared: bool,
    monitor: socket.socket,
    console: socket.socket,
    agent: socket.socket,
) -> Machine:
    return Machine(
        name=plan.name,
        binary=plan.install.binary,
        accelerator=plan.accelerator,
        cpu=plan.cpu,
        vcpu_count=plan.vcpu_count,
        mem_mib=plan.mem_mib,
        memory_path=f"/proc/self/fd/{memory}",
        memory_shared=memory_shared,
        kernel=f"/proc/self/fd/{_open(plan.kernel, files)}",
        initrd=f"/proc/self/fd/{_open(plan.initrd, files)}",
        kernel_arguments=plan.kernel_arguments,
        drives=tuple(_drive(drive, files) for drive in plan.drives),
        monitor_fd=monitor.fileno(),
        agent_fd=agent.fileno(),
        console_fd=console.fileno(),
        incoming=plan.incoming,
        paused=plan.paused,
    )


def _drive(drive: DriveFiles, files: ExitStack) -> Drive:
    last = len(drive.layers) - 1
    layers = tuple(
        Layer(_open(layer.path, files, writable=drive.writable and depth == last), layer.format)
        for depth, layer in enumerate(drive.layers)
    )
    return Drive(drive.name, layers, drive.writable)


def _open(path: Path, files: ExitStack, *, writable: bool = False) -> int:
    try:
        descriptor = os.open(path, (os.O_RDWR if writable else os.O_RDONLY) | os.O_CLOEXEC)
    except OSError as error:
        raise HostUnfit(f"a file of the machine cannot be opened: {path}", details=str(error)) from error
    files.callback(os.close, descriptor)
    if not writable:
        _forbid_writing(descriptor)
    return descriptor


def _forbid_writing(descriptor: int) -> None:
    """Take away the write permission of a file that machines share.

    A QEMU of the file's own owner could otherwise open the inherited descriptor once more, through /proc, for writing. It
    cannot give the permission back: the system call filter denies that.
    """
    status = os.fstat(descriptor)
    if stat.S_ISREG(status.st_mode) and status.st_mode & 0o222 and status.st_uid == os.geteuid():
        os.fchmod(descriptor, stat.S_IMODE(status.st_mode) & ~0o222)


def call_filter(files: ExitStack) -> int:
    """Give a descriptor from which bubblewrap reads the system call filter; `files` closes it."""
    descriptor = os.memfd_create("pyro-seccomp")
    files.callback(os.close, descriptor)
    os.write(descriptor, system_call_filter())
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _needs(plan: Launch, machine: Machine, file_bytes: int) -> Needs:
    return Needs(
        visible=visible_files(plan.install),
        mem_mib=plan.mem_mib,
        reopened=_reopened(machine),
        devices=("/dev/kvm",) if plan.accelerator == "kvm" else (),
        file_bytes=_largest_file(plan.drives) + file_bytes,
    )


def visible_files(install: QemuInstall) -> tuple[str, ...]:
    """Name every file that this QEMU opens by its path."""
    return (install.binary, *install.libraries, *install.data, *_loader_cache())


def _largest_file(drives: tuple[DriveFiles, ...]) -> int:
    """How far QEMU may write: a written layer holds at most its whole disk and the tables over it."""
    sizes = [_disk_size(layer) for drive in drives if drive.writable for layer in drive.layers]
    return max(sizes, default=0) * 9 // 8 + _SMALL_FILES


def _disk_size(layer: LayerFile) -> int:
    """The size a guest sees; in a qcow2 file it stands in the header, big-endian at byte 24."""
    if layer.format == "raw":
        return layer.path.stat().st_size
    with layer.path.open("rb") as file:
        file.seek(24)
        return int.from_bytes(file.read(8))


def _reopened(machine: Machine) -> tuple[int, ...]:
    return tuple(int(path.rsplit("/", 1)[1]) for path in (machine.kernel, machine.initrd))


def _descriptors(machine: Machine) -> list[int]:
    named = [machine.monitor_fd, machine.agent_fd, machine.console_fd, *_reopened(machine)]
    return named + [layer.descriptor for drive in machine.drives for layer in drive.layers]


def _loader_cache() -> tuple[str, ...]:
    return ("/etc/ld.so.cache",) if Path("/etc/ld.so.cache").exists() else ()


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
