"""Environments and the guest kit, ready to use: found in the cache, built where they are missing.

A warm `ensure` and `kit` only read: a few small JSON files, and a stat of everything they name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import asdict
from pathlib import Path

from pyro_mcp.environments.cache import BUILDER, Cache
from pyro_mcp.environments.catalogue import Catalogue, Resolved, sources_from
from pyro_mcp.environments.kit_store import KitStore
from pyro_mcp.environments.shelf import Entry
from pyro_mcp.environments.values import Environment, EnvironmentDefaults, EnvironmentListing, Kit, Pruned
from pyro_mcp.host.paths import Paths

_IMAGE = "root.squashfs"


class EnvironmentStore:
    """The cache of one user. Several processes, and several versions of pyro, may share it."""

    def __init__(self, paths: Paths) -> None:
        self._cache = Cache(paths.cache)
        self._catalogue = Catalogue(paths.config / "environments")
        self._kits = KitStore(self._cache)

    def names(self) -> list[str]:
        """Name all environments there are recipes for."""
        return sorted(self._catalogue.recipes())

    def find(self, name: str) -> Environment | None:
        """Look for an environment as it stands in the cache; None when it has yet to be built.

        Raises NotFound, with near names, when there is no such recipe.
        """
        self._cache.sweep()
        pin = self._cache.images.record(self._pin(name))
        if pin is None:
            return None
        sources = sources_from(pin.notes.get("sources"))
        entry = self._cache.images.entry(pin.digest)
        if entry is None or not sources or not all(source.is_current() for source in sources):
            return None
        defaults = pin.notes["defaults"]
        assert isinstance(defaults, Mapping)
        return Environment(name, entry.digest, entry.directory / _IMAGE, EnvironmentDefaults(**defaults))

    def ensure(self, name: str, *, refresh: bool = False) -> Environment:
        """Give an environment, building it first where the cache does not hold it whole.

        `refresh` builds it anew from the archive as it is today; otherwise what was built once stays as it is.
        """
        found = self.find(name)
        return found if found and not refresh else self._build(name, refresh=refresh)

    def kit(self, *, refresh: bool = False) -> Kit:
        """Give the guest kit with the agent as it is installed now, building what is missing."""
        self._cache.sweep()
        return self._kits.kit(refresh=refresh)

    def built_kit(self) -> Kit | None:
        """Give the guest kit if it is in the cache; None when it has yet to be built."""
        return self._kits.built()

    def image(self, digest: str) -> Path | None:
        """Find an image by its digest alone: workspaces keep theirs when a recipe moves on."""
        entry = self._cache.images.entry(digest)
        return entry.directory / _IMAGE if entry else None

    def list(self) -> list[EnvironmentListing]:
        """Describe every environment, built or not."""
        return [self.inspect(name) for name in self.names()]

    def inspect(self, name: str, *, verify: bool = False) -> EnvironmentListing:
        """Describe one environment. `verify` reads every byte of it, and throws it away when one is wrong."""
        plan, recipe = self._catalogue.plan(name)
        built = self.find(name)
        entry = self._cache.images.entry(built.digest) if built else None
        if entry and verify and not self._cache.images.is_intact(entry.digest):
            self._throw_away(entry.digest)
            entry = None
        return EnvironmentListing(
            name=name,
            summary=recipe.summary,
            recipe=Path(recipe.origin),
            built=entry is not None,
            base=recipe.base or recipe.suite,
            packages=plan.packages,
            defaults=plan.defaults,
            digest=entry.digest if entry else None,
            size=entry.size if entry else None,
            built_at=entry.made_at if entry else None,
            image=entry.directory / _IMAGE if entry else None,
        )

    def prune(self, in_use: Collection[str] = ()) -> Pruned:
        """Free what no recipe of today leads to, and what killed builds left. `in_use` names digests that stay all the same.

        What a newer pyro made stays too; what older ones made goes.
        """
        built = {found.digest for name in self.names() if (found := self.find(name))}
        with self._cache.changing("prune") as scrap:
            images = built | set(in_use) | self._cache.images.newer_than(BUILDER)
            kits = self._kits.digests() | self._cache.kits.newer_than(BUILDER)
            ram_disks = self._kits.digests() | self._cache.ram_disks.newer_than(BUILDER)
            freed = self._cache.images.keep_only(images, scrap)
            freed |= self._cache.kits.keep_only(kits, scrap)
            freed |= self._cache.ram_disks.keep_only(ram_disks, scrap)
        return Pruned(sum(freed.values()), tuple(freed))

    def _pin(self, name: str) -> str:
        """The key that needs no parsing: name and recipe. What else the image stands on is noted behind it, and compared."""
        recipe = self._catalogue.file_of(name)
        return hashlib.sha256(f"{BUILDER} {name} {recipe} ".encode() + recipe.read_bytes()).hexdigest()

    def _build(self, name: str, *, refresh: bool) -> Environment:
        resolved = self._catalogue.resolve(name, builder=BUILDER, busybox=self._kits.busybox)
        with self._cache.changing(f"it may be {name}'s") as place:
            built = (
                None if refresh else self._cache.images.find(resolved.key)
            )  # by another name, or while we waited
            entry = built or self._build_entry(resolved, place)
            self._cache.images.point(self._pin(name), entry.digest, _notes(resolved))
        return Environment(name, entry.digest, entry.directory / _IMAGE, resolved.plan.defaults)

    def _build_entry(self, resolved: Resolved, place: Path) -> Entry:
        from pyro_mcp.environments.build import build_image

        self._cache.require_room()
        work, out = place / "work", place / "out"
        work.mkdir()
        out.mkdir()
        build_image(resolved.plan, resolved.host_files, work, out / _IMAGE)
        return self._cache.images.put(out, resolved.key, _notes(resolved))

    def _throw_away(self, digest: str) -> None:
        with self._cache.changing("a damaged image is to go") as scrap:
            self._cache.images.drop(digest, scrap)


def _notes(resolved: Resolved) -> dict[str, object]:
    return {
        "builder": BUILDER,
        "name": resolved.plan.name,
        "defaults": asdict(resolved.plan.defaults),
        "sources": [asdict(source) for source in resolved.sources],
    }
