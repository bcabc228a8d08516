"""One cgroup per exec, below one for all of them, so that commands can be ended and bounded as a whole."""

from __future__ import annotations

import os
from contextlib import suppress

MOUNT = "/sys/fs/cgroup"
# All commands of the machine together; the agent itself stays outside, and is never short of CPU or memory.
_ALL = f"{MOUNT}/commands"
_CONTROLLERS = "+cpu +memory +pids"
# What the kernel and the agent may still need when commands take all they may. Without it the machine as a whole runs
# out first, and then does nothing for most of a minute but read the pages of running programs again and again.
_RESERVE_MIB = 48


def memory_limit(free_kib: int) -> int:
    """Return the bytes all commands together may hold, by what is free before there are any."""
    free = free_kib * 1024
    return free - min(_RESERVE_MIB << 20, free // 4)


def process_limit(total_kib: int) -> int:
    """Return how many processes one command may start: about 250 KiB of memory for each, at most 4096."""
    return max(256, min(4096, total_kib // 256))


class Cgroups:
    """The hierarchy of the guest."""

    def __init__(self, total_kib: int) -> None:
        self._processes = str(process_limit(total_kib))
        self._count = 0

    def prepare(self) -> None:
        """Switch the controllers on."""
        _write(f"{MOUNT}/cgroup.subtree_control", _CONTROLLERS)
        os.mkdir(_ALL)
        _write(f"{_ALL}/cgroup.subtree_control", _CONTROLLERS)

    def bound(self, free_kib: int) -> None:
        """Bound the memory of all commands together; call it when all else has what it needs."""
        _write(f"{_ALL}/memory.max", str(memory_limit(free_kib)))

    def create(self) -> Cgroup:
        """Make one for a command to come."""
        self._count += 1
        group = Cgroup(f"{_ALL}/{self._count}")
        os.mkdir(group.path)
        _write(f"{group.path}/pids.max", self._processes)
        return group


class Cgroup:
    """The processes of one command."""

    def __init__(self, path: str) -> None:
        self.path = path

    def join(self) -> None:
        """Move the calling process in."""
        _write(f"{self.path}/cgroup.procs", "0")

    def kill(self) -> None:
        """Kill every process in it at once; none can fork its way out."""
        _write(f"{self.path}/cgroup.kill", "1")

    def members(self) -> list[int]:
        """Return the pids of its processes, as the agent sees them."""
        with open(f"{self.path}/cgroup.procs") as file:
            return [int(line) for line in file]

    def ran_out_of_memory(self) -> bool:
        """Tell whether the kernel killed a process of it for want of memory."""
        file = os.open(f"{self.path}/memory.events", os.O_RDONLY | os.O_CLOEXEC)
        try:
            return oom_kills(os.read(file, 4096).decode()) > 0
        finally:
            os.close(file)

    def remove(self) -> None:
        """Remove it; one that still has a dying process is left behind, empty."""
        with suppress(OSError):
            os.rmdir(self.path)


def oom_kills(events: str) -> int:
    """Read the count of processes killed from the text of `memory.events`."""
    for line in events.splitlines():
        name, _, value = line.partition(" ")
        if name == "oom_kill":
            return int(value)
    return 0


def _write(path: str, value: str) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(file, value.encode())
    finally:
        os.close(file)
