"""Put all facts about this host together."""

from __future__ import annotations

import platform

from pyro_mcp.environments.store import EnvironmentStore
from pyro_mcp.environments.values import Kit
from pyro_mcp.host.paths import Paths
from pyro_mcp.models.doctor import Check, Diagnosis
from pyro_mcp.qemu.confine import Walls, forget_level, reachable_level
from pyro_mcp.qemu.installed import QemuInstall
from pyro_mcp.qemu.probe import forget, kvm_verdict
from pyro_mcp.qemu.trials import Kernel, Verdict
from pyro_mcp.workspaces.doctor import programs, room, walls


def examine(paths: Paths | None = None) -> Diagnosis:
    """Look at everything a machine needs. What was tried before is remembered, so this takes no time twice."""
    paths = paths or Paths.from_environment()
    store = EnvironmentStore(paths)
    kit = store.built_kit()
    qemu, install = programs.check_qemu(paths.cache / "host")
    level = reachable_level(paths.cache / "host")
    verdict = _kvm(paths, install, Walls(level), kit) if install else None
    works = verdict is not None and verdict.works
    checks = (
        _check_host(),
        qemu,
        *programs.check_tools(),
        *([walls.check_kvm(verdict)] if verdict else []),
        walls.check_user_namespaces(),
        walls.check_confinement(level, emulated=not works),
        room.check_memory(),
        *room.check_disks(paths),
        room.check_environments(store),
        room.check_kit(kit),
    )
    return Diagnosis(
        fit=all(check.health != "fail" for check in checks),
        isolation="hardware" if works else "emulated",
        confinement=level,
        checks=checks,
    )


def forget_what_is_known(paths: Paths | None = None) -> None:
    """Let KVM and the walls be tried anew: somebody may have mended them."""
    remember = (paths or Paths.from_environment()).cache / "host"
    forget(remember)
    forget_level(remember)


def _kvm(paths: Paths, install: QemuInstall, level: Walls, kit: Kit | None) -> Verdict:
    kernel = Kernel(kit.kernel, kit.initrd) if kit else None
    return kvm_verdict(paths.cache / "host", install, level, lambda: kernel)


def _check_host() -> Check:
    here = f"{platform.system()} {platform.release()}, {platform.machine()}"
    if (platform.system(), platform.machine()) == ("Linux", "x86_64"):
        return Check(name="host", health="pass", fact=here)
    return Check(name="host", health="fail", fact=here, remedy="use an x86-64 Linux, or a VM of it")
