"""Free the disk space that no workspace stands on and nothing is likely to need again."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from pyro_mcp.environments.values import Pruned
from pyro_mcp.errors import Conflict, HostUnfit
from pyro_mcp.host.locks import exclusive_if_free
from pyro_mcp.models.room import PruneReport
from pyro_mcp.workspaces.registry import layers, workspaces
from pyro_mcp.workspaces.seeding.store import PrunedSeeds
from pyro_mcp.workspaces.session import Sessions
from pyro_mcp.workspaces.storage.sharing import environments_used_elsewhere

# Freezing a machine anew costs seconds, keeping one a few hundred megabytes.
_TEMPLATE_SECONDS = 30 * 24 * 3600.0


def prune(sessions: Sessions, *, everything: bool = False) -> PruneReport:
    """Remove environments and seeds that nothing uses, frozen machines unused for 30 days, and stray layers.

    `everything` removes all frozen machines: each is made anew by the next start that needs it.
    """
    sessions.tidy()
    sessions.grounds.free_layers()
    left: list[str] = []
    environments = Pruned(0, ())
    try:
        environments = prune_environments(sessions)
    except (HostUnfit, Conflict) as unread:
        left.append(f"environments: {unread.brief}")
    seeds = _prune_seeds(sessions)
    if seeds is None:
        left.append("seeds: a workspace is being created")
    templates = _old_templates(sessions.paths.cache / "templates", 0 if everything else _TEMPLATE_SECONDS)
    strays = _strays(sessions)
    freed = [_remove(path) for path in (*templates, *strays)]
    return PruneReport(
        environments=len(environments.digests),
        seeds=len(seeds.digests) if seeds else 0,
        templates=len(templates),
        layers=len(strays),
        freed_bytes=environments.freed_bytes + (seeds.freed_bytes if seeds else 0) + sum(freed),
        left="; ".join(left) or None,
    )


def prune_environments(sessions: Sessions) -> Pruned:
    """Remove the environments and kits that neither a recipe of today nor a workspace of any state directory leads to."""
    elsewhere = environments_used_elsewhere(sessions.paths)
    with sessions.registry.reading() as reading:
        in_use = workspaces.environments_in_use(reading)
    return sessions.environments.prune(in_use | elsewhere)


def _prune_seeds(sessions: Sessions) -> PrunedSeeds | None:
    """Inside a change no workspace can begin to be made; one that is half made may have chosen a seed already."""
    with sessions.registry.changing(durable=False) as change:
        if workspaces.being_made(change):
            return None
        return sessions.seeds.prune(workspaces.seeds_in_use(change))


def _old_templates(directory: Path, unused_seconds: float) -> list[Path]:
    """The frozen machines that no start has looked at for so long, by the access time that a start leaves."""
    old = time.time() - unused_seconds
    found = []
    for about in directory.glob("*/about.json"):
        seen = about.stat()
        with exclusive_if_free(about.parent.with_suffix(".lock")) as free:
            if free and max(seen.st_atime, seen.st_mtime) <= old:
                found.append(about.parent)
    return found


def _strays(sessions: Sessions) -> tuple[Path, ...]:
    files = list(
        (sessions.paths.state / "layers").glob("*")
    )  # before the records: a file's record is older than it
    with sessions.registry.reading() as reading:
        return layers.strays(reading, files)


def _remove(path: Path) -> int:
    """Remove a file or directory, and tell what came free: a file of several names frees nothing yet."""
    files = list(path.rglob("*")) if path.is_dir() else [path]
    freed = sum(status.st_blocks * 512 for status in (file.lstat() for file in files) if status.st_nlink == 1)
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
    return freed
