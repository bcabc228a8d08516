"""What a QEMU is to be started with: the machine, its files on this host, and the walls around it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pyro_mcp.qemu.command import Accelerator
from pyro_mcp.qemu.confine import Walls
from pyro_mcp.qemu.installed import QemuInstall


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
