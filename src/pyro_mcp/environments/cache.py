"""The cache directory: its shelves, the lock of whoever builds, and the room that building needs.

<cache>/environments/    images of environments      <cache>/kits/       guest kits
<cache>/ramdisks/        a kit's RAM disk + agent    <cache>/staging/    what is being made, by whom
<cache>/imported/        names of imported images
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyro_mcp.environments.imports import Imports
from pyro_mcp.environments.shelf import Shelf
from pyro_mcp.environments.staging import staged, sweep
from pyro_mcp.errors import HostUnfit, LimitReached
from pyro_mcp.host.locks import exclusive
from pyro_mcp.host.room import free_disk

# Part of every key. Raise it when the same recipe comes to give a different image; older pyros go on using theirs.
BUILDER = 1
# What an environment's entry holds.
IMAGE = "root.squashfs"
# Unpacked root, downloaded packages and image at once: debian:12-build, the largest of ours, takes 1.9 GiB.
_ROOM_TO_BUILD = 2 * 1024**3


class Cache:
    """What is kept where. Reading takes no lock; everything that changes the shelves happens in changing()."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._staging = root / "staging"
        self.images = Shelf(root / "environments")
        self.kits = Shelf(root / "kits")
        self.ram_disks = Shelf(root / "ramdisks")
        self.imports = Imports(root / "imported")

    def sweep(self) -> None:
        """Remove what killed builds left behind. Stands at the start of every use."""
        sweep(self._staging)

    @contextmanager
    def changing(self, why: str) -> Iterator[Path]:
        """Be the only one, of all processes, to change the cache; gives a directory whose content is gone afterwards."""
        with _writing(self._root):
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            with (
                exclusive(self._root / "lock", what=f"another build to end ({why})"),
                staged(self._staging) as place,
            ):
                for kept in (self.images, self.kits, self.ram_disks, self.imports):
                    kept.tidy()
                yield place

    def throw_away(self, digest: str) -> None:
        """Remove a damaged image."""
        with self.changing("a damaged image is to go") as scrap:
            self.images.drop(digest, scrap)

    def require_room(self) -> None:
        """Raise LimitReached when a build would fill the disk."""
        free = free_disk(self._root)
        if free < _ROOM_TO_BUILD:
            raise LimitReached(
                f"building needs {_ROOM_TO_BUILD // 1024**2} MiB of disk in {self._root}, and {free // 1024**2} MiB are free",
                hint="Free some room, run pyro env prune, or set PYRO_HOME or XDG_CACHE_HOME to a larger disk.",
            )


@contextmanager
def _writing(root: Path) -> Iterator[None]:
    """Say in pyro's terms why a cache cannot be written."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise LimitReached(
                f"no room left on the disk of {root}",
                details=str(error),
                hint="Free some room, or run pyro env prune.",
            ) from error
        if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
            raise HostUnfit(
                f"{root} cannot be written",
                details=str(error),
                hint="Make it writable, or set PYRO_HOME or XDG_CACHE_HOME to a directory that is.",
            ) from error
        raise
