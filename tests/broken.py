"""Caches that are damaged, full or may not be written to."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyro_mcp.environments.store import EnvironmentStore
from pyro_mcp.host.paths import Paths


def cut(path: Path) -> None:
    """Take a file's second half away, as a copy that was broken off does."""
    path.chmod(0o600)
    os.truncate(path, path.stat().st_size // 2)


def image_of(environment: str) -> Path:
    """Where the image of an environment lies."""
    found = EnvironmentStore(Paths.from_environment()).find(environment)
    assert found is not None
    return found.image


def the_only(pattern: str) -> Path:
    """The one file of the cache that has such a name."""
    (found,) = Paths.from_environment().cache.glob(pattern)
    return found


@contextmanager
def full_disk(place: Path, mib: int) -> Iterator[None]:
    """Put a filesystem of so many MiB under a directory, with the small things that were in it."""
    kept = place.with_name("kept")
    place.rename(kept)
    place.mkdir(mode=0o700)
    _do("mount", "-t", "tmpfs", "-o", f"size={mib}m,mode=0700", "pyro-test", str(place))
    try:
        for entry in kept.iterdir():
            if entry.is_symlink():
                (place / entry.name).symlink_to(entry.readlink())
            elif entry.is_dir():
                shutil.copytree(entry, place / entry.name, symlinks=True)
        yield
    finally:
        _do("umount", str(place))
        place.rmdir()
        kept.rename(place)


@contextmanager
def read_only(place: Path) -> Iterator[None]:
    """Let nobody, root included, write below a directory."""
    _do("mount", "--bind", str(place.resolve()), str(place))
    try:
        _do("mount", "-o", "remount,bind,ro", str(place))
        yield
    finally:
        _do("umount", str(place))


def _do(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
