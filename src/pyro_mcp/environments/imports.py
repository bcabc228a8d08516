"""The names that people gave to images they brought: which image each leads to, and where it came from.

One small file for each in <cache>/imported. Nothing can build such an image again, so prune keeps what these lead to.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from pyro_mcp.environments.values import EnvironmentDefaults
from pyro_mcp.host.writing import sync_directory, write_whole

_LARGEST_RECORD = 8 << 20  # a config has at most 4 MiB, and JSON may write a byte as six


@dataclass(frozen=True)
class Imported:
    """A name, the digest of its squashfs, the image's own id (the SHA-256 of its config) and the archive it came in."""

    name: str
    digest: str
    image_id: str
    archive: str
    defaults: EnvironmentDefaults


class Imports:
    """The records below one directory. Reading takes no lock; whoever writes holds the cache's."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def find(self, name: str) -> Imported | None:
        """Read what a name leads to; None when nothing of that name was imported."""
        if "/" in name or "\0" in name:
            return None
        return _read(self._root / f"{name}.json")

    def all(self) -> Iterator[Imported]:
        """Go through all names."""
        for path in sorted(self._root.glob("*.json")):
            if found := _read(path):
                yield found

    def note(self, imported: Imported) -> None:
        """Let a name lead to an image, whole or not at all."""
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(self._root / f"{imported.name}.json", json.dumps(asdict(imported), indent=1).encode())
        sync_directory(self._root)

    def tidy(self) -> None:
        """Remove what was half written by whoever was killed; the caller holds the lock."""
        for path in self._root.glob(".*"):
            path.unlink(missing_ok=True)

    def forget(self, name: str) -> None:
        """Drop a name."""
        (self._root / f"{name}.json").unlink(missing_ok=True)
        sync_directory(self._root)


def _read(path: Path) -> Imported | None:
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(_LARGEST_RECORD))
        defaults = EnvironmentDefaults(**found.pop("defaults"))
        return Imported(**found, defaults=defaults)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def defaults_in(notes: Mapping[str, object]) -> EnvironmentDefaults:
    """Read the defaults noted with an image; the plain ones where nobody noted any."""
    defaults = notes.get("defaults", {})
    assert isinstance(defaults, Mapping)
    return EnvironmentDefaults(**defaults)
