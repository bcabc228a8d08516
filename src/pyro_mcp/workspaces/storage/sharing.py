"""One cache may serve several state directories (XDG_STATE_HOME moves them): each leaves a mark in it, which every prune heeds.

A mark is a link, below <cache>/states, to the state directory: it is there whole or not at all.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from pyro_mcp.errors import HostUnfit
from pyro_mcp.host.paths import Paths
from pyro_mcp.workspaces.registry import workspaces
from pyro_mcp.workspaces.registry.database import looking_at


def leave_mark(paths: Paths) -> None:
    """Let everybody who shares the cache know that this state directory's workspaces stand on what is in it."""
    with suppress(OSError):  # a cache that cannot be written cannot be pruned either
        (paths.cache / "states").mkdir(mode=0o700, parents=True, exist_ok=True)
        _mark(paths).symlink_to(paths.state.absolute())


def environments_used_elsewhere(paths: Paths) -> frozenset[str]:
    """Tell the digests of the images that workspaces of other state directories stand on; forgets directories that are gone.

    Raises HostUnfit or Conflict where one cannot be read, or lies on a disk that is not there: then nobody knows what may
    be freed.
    """
    used: set[str] = set()
    for mark in sorted((paths.cache / "states").glob("*")):
        registry = mark / "registry.sqlite"
        state = mark.readlink()
        if not os.path.lexists(state):
            _insist_that_it_is_gone(state, mark)
            mark.unlink(missing_ok=True)
        elif mark != _mark(paths) and registry.exists():
            with looking_at(registry) as reading:
                used |= workspaces.environments_in_use(reading)
    return frozenset(used)


def _insist_that_it_is_gone(state: Path, mark: Path) -> None:
    """Raise HostUnfit where a directory may be only out of sight: below a place that disks are mounted at, and none is."""
    nearest = next(above for above in state.parents if os.path.lexists(above))
    if nearest in (Path("/media"), Path("/mnt"), Path("/run/media")) or _is_bare(nearest):
        raise HostUnfit(
            f"nobody knows what the workspaces in {state} stand on: {nearest} has nothing in it",
            details="Their disk may not be mounted.",
            hint=f"Mount it and ask again. If they are gone for good, remove {mark} first.",
        )


def _is_bare(directory: Path) -> bool:
    """Tell whether it looks like the place of a disk that is not mounted: it is empty, or of no use."""
    try:
        return not any(directory.iterdir())
    except OSError:
        return True


def _mark(paths: Paths) -> Path:
    import hashlib  # 3 ms

    name = hashlib.sha256(os.fsencode(paths.state.absolute())).hexdigest()[:32]
    return paths.cache / "states" / name
