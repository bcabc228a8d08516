"""How much memory and disk this host has left for machines."""

import os
from pathlib import Path

from pyro_mcp.errors import LimitReached

_CGROUPS = Path("/sys/fs/cgroup")
# What QEMU and the keeper take beside the guest's memory: 96 MiB was measured after some work.
_BESIDE_GUEST_MIB = 128
# What a machine writes in its first minutes, and what keeps the registry and everybody else on that disk going.
_LEAST_DISK_MIB = 256


def free_memory() -> int:
    """Tell how many bytes new processes may take before somebody is hurt, within the limits of our cgroup."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    available = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    return min([available, *_cgroup_room(Path("/proc/self/cgroup").read_text(), _CGROUPS)])


def require_memory(mem_mib: int) -> None:
    """Raise LimitReached unless a guest of this size can use all of its memory without hurting the host."""
    free = free_memory() >> 20
    if mem_mib + _BESIDE_GUEST_MIB > free:
        raise LimitReached(
            f"a machine of {mem_mib} MiB does not fit: this host has {free} MiB of memory free",
            hint="Give a smaller <<mem_mib>>, or end what takes the memory.",
        )


def require_disk(path: Path) -> None:
    """Raise LimitReached unless what is written under `path` leaves the host some room."""
    free = free_disk(path) >> 20
    if free < _LEAST_DISK_MIB:
        raise LimitReached(
            f"{path} has {free} MiB of disk free, too little for a machine",
            hint="Free some disk space (pyro prune, or delete workspaces).",
        )


def free_disk(path: Path) -> int:
    """Tell how many bytes this user may still write under `path`, which need not exist yet."""
    existing = next(place for place in (path, *path.parents) if place.exists())
    found = os.statvfs(existing)
    return found.f_bavail * found.f_frsize


def _cgroup_room(membership: str, root: Path) -> list[int]:
    """The room left under each cgroup v2 limit above us; files in the page cache can be dropped and count as free."""
    own = next((line[3:] for line in membership.splitlines() if line.startswith("0::")), "/")
    group = root / own.lstrip("/")
    rooms = []
    for level in (group, *group.parents):
        if not level.is_relative_to(root):
            break
        limit = _read(level / "memory.max")
        if limit.isdigit():
            rooms.append(max(0, int(limit) - int(_read(level / "memory.current")) + _droppable(level)))
    return rooms


def _droppable(group: Path) -> int:
    lines = _read(group / "memory.stat").splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("inactive_file ")), 0)


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:  # no such controller here, or a container's own view
        return ""


def stored_bytes(path: Path) -> int:
    """Tell what a file takes of its disk, which is less than its size where it has holes; nothing where it is gone."""
    try:
        return path.stat().st_blocks * 512
    except OSError:
        return 0
