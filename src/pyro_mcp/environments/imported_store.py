"""Environments that a person brought as a container image: found by their names, brought, described, forgotten."""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from pyro_mcp.environments.cache import BUILDER, IMAGE, Cache
from pyro_mcp.environments.imports import Imported
from pyro_mcp.environments.values import Environment, EnvironmentListing
from pyro_mcp.errors import InvalidRequest, NotFound

if TYPE_CHECKING:  # what reads archives; most runs of pyro read none
    from pyro_mcp.environments.oci.container import Container
    from pyro_mcp.environments.oci.image import Image
    from pyro_mcp.environments.oci.limits import Limits
    from pyro_mcp.environments.shelf import Entry

# As in recipes.
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}(:[a-z0-9][a-z0-9._-]{0,62})?")


class ImportedStore:
    """The imported environments of one cache."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    def names(self) -> list[str]:
        """Name them all."""
        return [imported.name for imported in self._cache.imports.all()]

    def digests(self) -> set[str]:
        """Give the digests of their images."""
        return {imported.digest for imported in self._cache.imports.all()}

    def has(self, name: str) -> bool:
        """Whether an image was imported by that name, sound or not."""
        return self._cache.imports.find(name) is not None

    def find(self, name: str) -> Environment | None:
        """Give the environment of that name; None when none was imported. Raises NotFound when its image is gone or damaged."""
        imported = self._cache.imports.find(name)
        if imported is None:
            return None
        entry = self._cache.images.entry(imported.digest)
        if entry is None:
            raise NotFound(f"the image of {name} is gone from the cache, or damaged", hint=_again(imported))
        return Environment(name, entry.digest, entry.directory / IMAGE, imported.defaults)

    def require_recipe(self, name: str) -> None:
        """Raise InvalidRequest for a name that has nothing to be built from."""
        if imported := self._cache.imports.find(name):
            raise InvalidRequest(f"{name} was imported and cannot be built anew", hint=_again(imported))

    def bring(self, name: str, archive: Path) -> None:
        """Import an image by that name, which no recipe has; whatever goes wrong, all is as it was before."""
        from pyro_mcp.environments.oci import image, limits, opening
        from pyro_mcp.environments.sandbox import require_tools

        if not _NAME.fullmatch(name):
            raise InvalidRequest(
                f"{name!r} is no name of an environment",
                hint="Write name or name:tag, of small letters, digits, '.', '_' and '-'.",
            )
        require_tools("sqfstar")
        bounds = limits.Limits()
        with (
            self._cache.changing(f"it may be {name}'s") as place,
            opening.opened(archive, place, bounds) as files,
        ):
            found = image.read_image(files, bounds)
            entry = self._cache.images.find(_key(found)) or self._build(name, files, found, bounds, place)
            where = str(archive.absolute())
            self._cache.imports.note(Imported(name, entry.digest, found.id, where, found.defaults))

    def forget(self, name: str) -> None:
        """Drop a name. Raises NotFound when nothing was imported by it."""
        if not self.has(name):
            known = ", ".join(self.names()) or "none"
            raise NotFound(f"no environment was imported as {name!r}", hint=f"Imported were: {known}.")
        with self._cache.changing(f"{name} is to be forgotten"):
            self._cache.imports.forget(name)

    def describe(self, name: str, *, verify: bool = False) -> EnvironmentListing:
        """Describe the environment of that name. `verify` reads every byte of it, and throws it away when one is wrong."""
        imported = self._cache.imports.find(name)
        if imported is None:
            raise NotFound(f"there is no environment {name}", hint="It was forgotten just now.")
        entry = self._cache.images.entry(imported.digest)
        if entry and verify and not self._cache.images.is_intact(entry.digest):
            self._cache.throw_away(entry.digest)
            entry = None
        archive = Path(imported.archive)
        return EnvironmentListing(
            name=name,
            summary=f"imported from {archive.name}" if entry else f"gone from the cache; {_again(imported)}",
            recipe=None,
            built=entry is not None,
            base=None,
            packages=(),
            defaults=imported.defaults,
            digest=entry.digest if entry else None,
            size=entry.size if entry else None,
            built_at=entry.made_at if entry else None,
            image=entry.directory / IMAGE if entry else None,
            imported_from=archive,
            image_id=imported.image_id,
        )

    def _build(self, name: str, files: Container, found: Image, bounds: Limits, place: Path) -> Entry:
        from pyro_mcp.environments.oci.build import build_image

        out = place / "out"
        out.mkdir()
        build_image(name, files, found, out / IMAGE, bounds)
        notes = {"builder": BUILDER, "name": name, "defaults": asdict(found.defaults)}
        return self._cache.images.put(out, _key(found), notes)


def _key(found: Image) -> str:
    """The image's id stands for all that is in it: its config names every layer by content, and each was compared."""
    return hashlib.sha256(f"{BUILDER} image {found.id}".encode()).hexdigest()


def _again(imported: Imported) -> str:
    return f"Import it again: pyro env import {imported.name} {imported.archive}"
