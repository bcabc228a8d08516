"""What this host grants a machine: hardware or emulation, walls, a uid of its own. Refuses where that is less than required."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from pyro_mcp.errors import HostUnfit
from pyro_mcp.host.uids import claim_uid
from pyro_mcp.qemu.command import Accelerator
from pyro_mcp.qemu.confine import Walls, reachable_level
from pyro_mcp.qemu.installed import QemuInstall
from pyro_mcp.qemu.probe import kvm_verdict
from pyro_mcp.qemu.trials import Kernel
from pyro_mcp.workspaces.machines.promises import Promises


def granted(
    remember: Path, install: QemuInstall, promises: Promises, find_kernel: Callable[[], Kernel]
) -> tuple[Accelerator, Walls]:
    """Tell what runs a machine and what stands around it. Raises HostUnfit for less than is promised."""
    level = reachable_level(remember)
    verdict = kvm_verdict(remember, install, Walls(level), find_kernel)
    if promises.isolation == "hardware" and not verdict.works:
        raise HostUnfit(
            "hardware isolation is required and KVM cannot run a machine on this host",
            details=f"{verdict.reason}: {verdict.detail}",
            hint=verdict.remedy,
        )
    if promises.confinement == "full" and level != "full":
        raise HostUnfit(
            f"full confinement is required and this host allows only: {level}",
            hint="sudo apt-get install bubblewrap, and allow unprivileged user namespaces",
        )
    return "kvm" if verdict.works else "tcg", Walls(level)


def own_uid(walls: Walls, held: ExitStack) -> tuple[int | None, list[int]]:
    """Claim a uid that no other machine has, where root can; with the lock that says so, held until the end of `held`."""
    if walls.level == "none" or os.geteuid() != 0:
        return None, []
    uid, lock = claim_uid()
    held.callback(os.close, lock)
    return uid, [lock]
