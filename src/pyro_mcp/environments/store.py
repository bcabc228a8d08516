"""Environments and the guest kit, ready to use: found in the cache, built where they are missing.

A warm `ensure` and `kit` only read: a few small JSON files, and a stat of everything they name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path

from pyro_mcp.environments.cache import BUILDER, IMAGE, Cache
from pyro_mcp.environments.catalogue import Catalogue, Resolved, sources_from
from pyro_mcp.environments.imported_store import ImportedStore
from pyro_mcp.environments.imports import defaults_in
from pyro_mcp.environments.kit_store import KitStore
from pyro_mcp.environments.shelf import Entry
from pyro_mcp.environments.values import Environment, EnvironmentListing, Kit, Pruned
from pyro_mcp.errors import Conflict, NotFound
from pyro_mcp.host.paths import Paths


class EnvironmentStore:
    """The cache of one user. Several processes, and several versions of pyro, may share it."""

    def __init__(self, paths: Paths) -> None:
        self._cache = Cache(paths.cache)
        self._imported = ImportedStore(self._cache)
        self._catalogue = Catalogue(paths.config / "environments", self._imported.names)
        self._kits = KitStore(self._cache)

    def names(self) -> list[str]:
        """Name all environments: those there are recipes for, and those that were imported."""
        return sorted({*self._catalogue.recipes(), *self._imported.names()})

    def find(self, name: str) -> Environment | None:
        """Look for an environment as it stands in the cache; None when it has yet to be built.

        Raises NotFound: with near names when there is nothing of that name, with its archive when an imported image is gone.
        """
        self._cache.sweep()
        if imported := self._imported.find(name):
            return imported
        pin = self._cache.images.record(self._pin(name))
        if pin is None:
            return None
        sources = sources_from(pin.notes.get("sources"))
        entry = self._cache.images.entry(pin.digest)
        if entry is None or not sources or not all(source.is_current() for source in sources):
            return None
        return Environment(name, entry.digest, entry.directory / IMAGE, defaults_in(pin.notes))

    def ensure(self, name: str, *, refresh: bool = False) -> Environment:
        """Give an environment, building it first where the cache does not hold it whole.

        `refresh` builds it anew from the archive as it is today; otherwise what was built once stays as it is.
        """
        if refresh:
            self._imported.require_recipe(name)
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
        return entry.directory / IMAGE if entry else None

    def standing(self, name: str, digest: str) -> Environment | None:
        """Give what was called `name` when a workspace came to stand on it, whatever the name leads to now; None if gone."""
        try:
            found = self.find(name)
        except NotFound:  # forgotten, or its recipe is
            found = None
        if found is not None and found.digest == digest:
            return found
        entry = self._cache.images.entry(digest)
        if entry is None:
            return None
        noted = (record.notes for record in self._cache.images.records() if record.digest == digest)
        return Environment(name, digest, entry.directory / IMAGE, defaults_in(next(noted, {})))

    def import_image(self, name: str, archive: Path) -> EnvironmentListing:
        """Make an environment of a container image, from an archive of docker's or an OCI layout.

        The same name again leads to the new image; what stands on the old one keeps it. Raises Conflict for a recipe's name.
        """
        self._cache.sweep()
        if name in self._catalogue.recipes():
            raise Conflict(f"{name} is an environment with a recipe", hint=f"Choose another name: my-{name}.")
        self._imported.bring(name, archive)
        return self._imported.describe(name)

    def forget(self, name: str) -> None:
        """Let an imported environment's name lead nowhere; prune then frees its image, unless something stands on it."""
        self._imported.forget(name)

    def list(self) -> list[EnvironmentListing]:
        """Describe every environment, built or not."""
        return [self.inspect(name) for name in self.names()]

    def inspect(self, name: str, *, verify: bool = False) -> EnvironmentListing:
        """Describe one environment. `verify` reads every byte of it, and throws it away when one is wrong."""
        if self._imported.has(name):
            return self._imported.describe(name, verify=verify)
        plan, recipe = self._catalogue.plan(name)
        built = self.find(name)
        entry = self._cache.images.entry(built.digest) if built else None
        if entry and verify and not self._cache.images.is_intact(entry.digest):
            self._cache.throw_away(entry.digest)
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
            image=entry.directory / IMAGE if entry else None,
        )

    def prune(self, in_use: Collection[str] = ()) -> Pruned:
        """Free what no recipe of today leads to, and what killed builds left. `in_use` names digests that stay all the same.

        What was imported stays, since nothing can build it again, and what a newer pyro made; what older ones made goes.
        """
        recipes = [name for name in sorted(self._catalogue.recipes()) if not self._imported.has(name)]
        built = {found.digest for name in recipes if (found := self.find(name))}
        with self._cache.changing("prune") as scrap:
            images = built | self._imported.digests() | set(in_use) | self._cache.images.newer_than(BUILDER)
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
        return Environment(name, entry.digest, entry.directory / IMAGE, resolved.plan.defaults)

    def _build_entry(self, resolved: Resolved, place: Path) -> Entry:
        from pyro_mcp.environments.build import build_image

        self._cache.require_room()
        work, out = place / "work", place / "out"
        work.mkdir()
        out.mkdir()
        build_image(resolved.plan, resolved.host_files, work, out / IMAGE)
        return self._cache.images.put(out, resolved.key, _notes(resolved))


def _notes(resolved: Resolved) -> dict[str, object]:
    return {
        "builder": BUILDER,
        "name": resolved.plan.name,
        "defaults": asdict(resolved.plan.defaults),
        "sources": [asdict(source) for source in resolved.sources],
    }
