"""Everything that can be done before there is a workspace, done once and then frozen into the template."""

from __future__ import annotations

import gc
import os
import stat
import time

from pyro_agent.base import system
from pyro_agent.base.loop import Loop
from pyro_agent.disk import mounts
from pyro_agent.network import road
from pyro_agent.network.names import Names
from pyro_agent.network.redirect import Redirect
from pyro_agent.network.strays import Strays
from pyro_agent.requests.dispatcher import Dispatcher
from pyro_agent.requests.machine import Machine
from pyro_agent.requests.outward import Outward
from pyro_agent.runners.cgroups import MOUNT as CGROUP_MOUNT
from pyro_agent.runners.cgroups import Cgroups
from pyro_agent.runners.pool import Pool
from pyro_agent.verbs import JOBS, VERBS
from pyro_agent.warm import warm
from pyro_agent.workers.helper import DiskHelper
from pyro_agent.workers.processes import Workers

_NODES = {"null": 3, "zero": 5, "full": 7, "random": 8, "urandom": 9}
_LINKS = {
    "fd": "/proc/self/fd",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2",
    "ptmx": "pts/ptmx",
}


def prepare(port: int) -> tuple[Dispatcher, dict[str, object]]:
    """Make everything ready and return what serves the host, with the facts that its greeting tells."""
    protect_agent()
    system.keep_freed_memory()
    mount_environment()
    make_devices()
    road.prepare()
    system.mount("cgroup", CGROUP_MOUNT, "cgroup2", system.MS_NOSUID | system.MS_NODEV | system.MS_NOEXEC)
    cgroups = Cgroups(memory_kib("MemTotal"))
    cgroups.prepare()
    # Mounts made here from now on appear in the runners' namespaces.
    system.mount("none", "/", None, system.MS_REC | system.MS_SHARED)
    warmed = warm(mounts.ENVIRONMENT)
    # What lives now is shared by all forks; the collector must not copy it page by page.
    gc.collect()
    gc.freeze()
    loop = Loop()
    pool = Pool(cgroups)
    machine = Machine(loop, pool, DiskHelper(loop, (port,)), Workers(loop, JOBS))
    outward = Outward()
    catch_connections(loop, outward)
    machine.workers.stand_by()
    while not pool.full:
        pool.add()
    cgroups.bound(memory_kib("MemFree"))
    return Dispatcher(machine, VERBS, outward), {
        "warmed_bytes": warmed,
        "booted_ms": round(time.monotonic() * 1000),
    }


def protect_agent() -> None:
    """Let the kernel kill anything but the agent, and let the agent run when everything else wants to."""
    with open("/proc/self/oom_score_adj", "w") as file:
        file.write("-1000")
    os.setpriority(os.PRIO_PROCESS, 0, -10)
    os.umask(0o022)


def mount_environment() -> None:
    """Mount the read-only lower layer of every workspace's root."""
    os.makedirs(mounts.ENVIRONMENT, exist_ok=True)
    system.mount(mounts.ENVIRONMENT_DRIVE, mounts.ENVIRONMENT, "squashfs", system.MS_RDONLY)


def make_devices() -> None:
    """Lay out the /dev and /sys of commands: neither the disks nor the host's port are in it."""
    umask = os.umask(0)
    os.makedirs(mounts.DEVICES)
    system.mount("dev", mounts.DEVICES, "tmpfs", system.MS_NOSUID, "mode=0755")
    for name, minor in _NODES.items():
        _make_node(name, 1, minor)
    _make_node("tty", 5, 0)
    for name, target in _LINKS.items():
        os.symlink(target, f"{mounts.DEVICES}/{name}")
    for name in ("pts", "shm"):
        os.mkdir(f"{mounts.DEVICES}/{name}")
    mounts.fill_devices()
    os.makedirs(mounts.SYSFS)
    system.mount(
        "sysfs",
        mounts.SYSFS,
        "sysfs",
        system.MS_RDONLY | system.MS_NOSUID | system.MS_NODEV | system.MS_NOEXEC,
    )
    os.umask(umask)


def _make_node(name: str, major: int, minor: int) -> None:
    os.mknod(f"{mounts.DEVICES}/{name}", stat.S_IFCHR | 0o666, os.makedev(major, minor))


def catch_connections(loop: Loop, outward: Outward) -> None:
    """Listen for what the guest's programs want of the world outside; the host is asked about each."""
    names = Names(loop, outward)
    Redirect(loop, outward, names.placeholders.name_of)
    Strays(loop, outward)


def memory_kib(kind: str) -> int:
    """Return one of the kernel's counts of the machine's memory."""
    with open("/proc/meminfo") as file:
        for line in file:
            name, _, value = line.partition(":")
            if name == kind:
                return int(value.split()[0])
    raise LookupError(f"the kernel counts no {kind}")
