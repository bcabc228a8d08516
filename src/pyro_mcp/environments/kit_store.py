"""The guest kit in the cache, with the agent of the day at the end of its RAM disk."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pyro_mcp.environments.cache import BUILDER, Cache
from pyro_mcp.environments.kit_inputs import BUSYBOX, KERNEL, RAM_DISK, ROOT, agent_archive, kit_key
from pyro_mcp.environments.shelf import Entry
from pyro_mcp.environments.values import Kit

_WHOLE_RAM_DISK = "initrd.cpio"


class KitStore:
    """Gives the kit, building what is missing of it."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    def kit(self, *, refresh: bool = False) -> Kit:
        """Give the kit that goes with the agent as it is installed now."""
        base = self._base(refresh=refresh)
        ram_disk = self._ram_disk(base)
        digest = hashlib.sha256(f"{base.digest} {ram_disk.digest}".encode()).hexdigest()
        return Kit(
            digest=digest,
            kernel=base.directory / KERNEL,
            initrd=ram_disk.directory / _WHOLE_RAM_DISK,
            root=base.directory / ROOT,
        )

    def built(self) -> Kit | None:
        """Give the kit if it is there; builds no more than today's agent into it."""
        return self.kit() if self._cache.kits.find(kit_key(BUILDER)) else None

    def busybox(self) -> Path:
        """Give the kit's busybox, for environments made of little else."""
        return self._base(refresh=False).directory / BUSYBOX

    def digests(self) -> set[str]:
        """Name what of the kit is in the cache and current; prune keeps it."""
        base = self._cache.kits.find(kit_key(BUILDER))
        ram_disk = self._cache.ram_disks.find(_ram_disk_key(base, agent_archive())) if base else None
        return {entry.digest for entry in (base, ram_disk) if entry}

    def _base(self, *, refresh: bool) -> Entry:
        key = kit_key(BUILDER)
        found = None if refresh else self._cache.kits.find(key)
        return found or self._build_base(key, refresh=refresh)

    def _build_base(self, key: str, *, refresh: bool) -> Entry:
        from pyro_mcp.environments.kit import build_kit

        with self._cache.changing("it may be the guest kit's") as place:
            found = None if refresh else self._cache.kits.find(key)  # built while we waited
            if found:
                return found
            self._cache.require_room()
            work, out = place / "work", place / "out"
            work.mkdir()
            out.mkdir()
            build_kit(work, out)
            return self._cache.kits.put(out, key, {"builder": BUILDER})

    def _ram_disk(self, base: Entry) -> Entry:
        agent = agent_archive()
        key = _ram_disk_key(base, agent)
        return self._cache.ram_disks.find(key) or self._join(base, agent, key)

    def _join(self, base: Entry, agent: bytes, key: str) -> Entry:
        with self._cache.changing("the agent has changed") as place:
            whole = place / _WHOLE_RAM_DISK
            whole.write_bytes((base.directory / RAM_DISK).read_bytes() + agent)
            return self._cache.ram_disks.put(place, key, {"builder": BUILDER})


def _ram_disk_key(base: Entry, agent: bytes) -> str:
    return hashlib.sha256(base.digest.encode() + agent).hexdigest()
