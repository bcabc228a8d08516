"""Open the files of a machine before the walls go up: QEMU is handed descriptors and finds no path."""

from __future__ import annotations

import os
import socket
import stat
from contextlib import ExitStack
from pathlib import Path

from pyro_mcp.errors import HostUnfit
from pyro_mcp.qemu.command import Drive, Layer, Machine
from pyro_mcp.qemu.confine import Needs
from pyro_mcp.qemu.installed import QemuInstall
from pyro_mcp.qemu.launch import DriveFiles, Launch, LayerFile
from pyro_mcp.qemu.syscalls import system_call_filter

# What QEMU writes beside disks: a template's state (75 KB) and its own log.
_SMALL_FILES = 64 << 20


def open_machine(
    plan: Launch,
    files: ExitStack,
    memory: int,
    memory_shared: bool,
    monitor: socket.socket,
    console: socket.socket,
    agent: socket.socket,
) -> Machine:
    """Open every file that the machine has; `files` closes them. Raises HostUnfit for one that cannot be opened."""
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


def needs_of(plan: Launch, machine: Machine, file_bytes: int) -> Needs:
    """Say what the walls must let through."""
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


def descriptors_of(machine: Machine) -> list[int]:
    """Name the descriptors that it inherits, but that of its memory."""
    named = [machine.monitor_fd, machine.agent_fd, machine.console_fd, *_reopened(machine)]
    return named + [layer.descriptor for drive in machine.drives for layer in drive.layers]


def _loader_cache() -> tuple[str, ...]:
    return ("/etc/ld.so.cache",) if Path("/etc/ld.so.cache").exists() else ()
