"""Turn a machine, described as data, into QEMU's command line. Pure: opens nothing, runs nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Accelerator = Literal["kvm", "tcg"]
AGENT_PORT_NAME = "org.pyro.agent"


@dataclass(frozen=True, slots=True)
class Layer:
    """One file of a drive, handed to QEMU as an inherited descriptor."""

    descriptor: int
    format: Literal["raw", "qcow2"] = "raw"


@dataclass(frozen=True, slots=True)
class Drive:
    """A virtio disk: its layers from the base up; only the last one of a writable drive is ever written."""

    name: str
    layers: tuple[Layer, ...]
    writable: bool = False


@dataclass(frozen=True, slots=True)
class Machine:
    """Everything QEMU is told about one machine. Paths are as QEMU sees them, descriptors as it inherits them."""

    name: str
    binary: str
    accelerator: Accelerator
    cpu: str
    vcpu_count: int
    mem_mib: int
    memory_path: str
    memory_shared: bool
    kernel: str
    initrd: str
    kernel_arguments: tuple[str, ...]
    drives: tuple[Drive, ...]
    monitor_fd: int
    agent_fd: int
    console_fd: int
    incoming: bool
    paused: bool = False


def arguments(machine: Machine) -> list[str]:
    """Give the argument list that starts this machine, the binary first."""
    return [
        machine.binary,
        *_board(machine),
        *_memory(machine),
        *_kernel(machine),
        *_sockets(machine),
        *(argument for index, drive in enumerate(machine.drives) for argument in _drive(index, drive)),
        *_walls(),
        *(("-incoming", "defer") if machine.incoming else ()),
        *(("-S",) if machine.paused else ()),
    ]


def _board(machine: Machine) -> Iterator[str]:
    yield from ("-name", f"{escaped(machine.name)},process=qemu-pyro")
    # acpi=on: Debian's kernel finds virtio-mmio devices through ACPI only; with it neither PIT nor PIC is needed.
    # auto-kernel-cmdline is for kernels that take devices from the command line: ours does not.
    yield from ("-M", "microvm,acpi=on,rtc=on,pit=off,pic=off,auto-kernel-cmdline=off,memory-backend=ram")
    # tb-size: translated code, in MiB; below 32 the guest keeps translating the same code again.
    yield from ("-accel", "kvm" if machine.accelerator == "kvm" else "tcg,tb-size=128")
    yield from ("-cpu", machine.cpu, "-smp", str(machine.vcpu_count), "-m", str(machine.mem_mib))
    # -nodefaults still opens a display; -no-reboot turns a kernel panic into QEMU's end, which we watch for.
    yield from ("-nodefaults", "-no-user-config", "-no-reboot", "-display", "none")


def _memory(machine: Machine) -> Iterator[str]:
    share = "on" if machine.memory_shared else "off"
    # prealloc would touch every page: half a second, and nothing shared any more.
    yield "-object"
    yield (
        f"memory-backend-file,id=ram,size={machine.mem_mib}M,mem-path={escaped(machine.memory_path)},"
        f"share={share},prealloc=off"
    )


def _kernel(machine: Machine) -> Iterator[str]:
    yield from ("-kernel", machine.kernel, "-initrd", machine.initrd)
    yield from ("-append", " ".join(machine.kernel_arguments))


def _sockets(machine: Machine) -> Iterator[str]:
    yield from (
        "-chardev",
        f"socket,id=monitor,fd={machine.monitor_fd}",
        "-mon",
        "chardev=monitor,mode=control",
    )
    yield from ("-chardev", f"socket,id=console,fd={machine.console_fd}", "-serial", "chardev:console")
    yield from (
        "-chardev",
        f"socket,id=agent,fd={machine.agent_fd}",
        "-device",
        "virtio-serial-device,max_ports=2",
    )
    yield from ("-device", f"virtserialport,chardev=agent,name={AGENT_PORT_NAME}")


def _drive(index: int, drive: Drive) -> Iterator[str]:
    below: str | None = None
    for depth, layer in enumerate(drive.layers):
        top = depth == len(drive.layers) - 1
        node = drive.name if top else f"{drive.name}-{depth}"
        yield from _layer(layer, node, below, fdset=index * 100 + depth + 1, writable=top and drive.writable)
        below = node
    yield from ("-device", f"virtio-blk-device,drive={drive.name}")


def _layer(layer: Layer, node: str, below: str | None, *, fdset: int, writable: bool) -> Iterator[str]:
    yield from ("-add-fd", f"fd={layer.descriptor},set={fdset}")
    read_only = "off" if writable else "on"
    # Frozen layers are shared by machines and never written, so only the writable one is locked: two machines on one
    # disk must fail.
    locking = "on" if writable else "off"
    common = f"read-only={read_only},discard=unmap"
    yield "-blockdev"
    yield f"driver=file,filename=/dev/fdset/{fdset},node-name={node}-file,locking={locking},{common}"
    backing = f",backing={below}" if below else ""
    zeroes = ",detect-zeroes=unmap" if writable else ""
    yield "-blockdev"
    yield f"driver={layer.format},file={node}-file,node-name={node},{common}{backing}{zeroes}"


def _walls() -> Iterator[str]:
    yield from ("-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny")


def escaped(value: str) -> str:
    """Double the commas of a value inside one of QEMU's comma-separated options."""
    return value.replace(",", ",,")
