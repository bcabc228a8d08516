"""Memory, disk space, and what is in the cache."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from pyro_mcp.environments.store import EnvironmentStore
from pyro_mcp.environments.values import Kit
from pyro_mcp.host.paths import Paths
from pyro_mcp.host.room import free_disk, free_memory
from pyro_mcp.models.doctor import Check, Health

# A machine of the default size (1024 MiB) and what stands beside it; and the smallest that boots.
_DEFAULT_MACHINE_MIB, _SMALLEST_MACHINE_MIB = 1280, 384
# debian:12 takes 0.5 GB, its template 0.1, and a build needs as much again beside it.
_COMFORTABLE_DISK, _NEEDED_DISK = 3 << 30, 256 << 20


def check_memory(free: int | None = None) -> Check:
    mib = (free_memory() if free is None else free) >> 20
    fact = f"{mib} MiB free"
    if mib >= _DEFAULT_MACHINE_MIB:
        return Check(name="memory", health="pass", fact=fact)
    remedy = "give smaller --mem-mib, or end what takes the memory (ps aux --sort=-rss | head)"
    health: Health = "warn" if mib >= _SMALLEST_MACHINE_MIB else "fail"
    return Check(
        name="memory", health=health, fact=f"{fact}: too little for a machine of 1024 MiB", remedy=remedy
    )


def check_disks(paths: Paths) -> Iterator[Check]:
    """Tell of the places where pyro writes; each is told once, also where several lie on one disk."""
    for name, place in (("cache", paths.cache), ("state", paths.state), ("runtime", paths.runtime)):
        yield check_place(name, place, free_disk(place))


def check_place(name: str, place: Path, free: int) -> Check:
    existing = next(above for above in (place, *place.parents) if above.exists())
    fact = f"{place}, {free / 1e9:.1f} GB free"
    if not os.access(existing, os.W_OK | os.X_OK):
        remedy = "give a place of your own: XDG_CACHE_HOME and the like, or PYRO_HOME for all"
        return Check(name=name, health="fail", fact=f"{place}: {existing} may not be written", remedy=remedy)
    if name == "runtime" or free >= _COMFORTABLE_DISK:
        return Check(name=name, health="pass", fact=fact)
    health: Health = "warn" if free >= _NEEDED_DISK else "fail"
    return Check(name=name, health=health, fact=fact, remedy="pyro prune")


def check_environments(store: EnvironmentStore) -> Check:
    built = [listing.name for listing in store.list() if listing.built]
    if built:
        return Check(name="environments", health="pass", fact=", ".join(built))
    return Check(name="environments", health="warn", fact="none built yet", remedy="pyro env pull debian:12")


def check_kit(kit: Kit | None) -> Check:
    if kit is not None:
        return Check(name="guest kit", health="pass", fact=kit.digest[:12])
    return Check(name="guest kit", health="warn", fact="not built yet", remedy="pyro env pull debian:12")
