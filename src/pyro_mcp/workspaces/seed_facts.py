"""What a workspace's record tells of the seed that it stands on."""

from __future__ import annotations

import json
from typing import cast

from pyro_mcp.models.seed import GitFacts
from pyro_mcp.workspaces.registry.workspaces import WorkspaceRecord


def git_facts(record: WorkspaceRecord) -> GitFacts | None:
    """Tell which repository a workspace was seeded from; None when it was none."""
    kept = json.loads(record.seed_report) if record.seed_report is not None else {}
    git = cast("dict[str, object] | None", kept.get("git"))
    if git is None:
        return None
    submodules = tuple(cast("list[str]", git.get("submodules") or ()))
    return GitFacts(**{**git, "submodules": submodules})  # type: ignore[arg-type]


def skipped_paths(record: WorkspaceRecord) -> tuple[frozenset[str], bool]:
    """Give what could not be seeded, and whether these are all of it: a report is cut."""
    kept = json.loads(record.seed_report) if record.seed_report is not None else {}
    names = frozenset(str(item["path"]) for item in kept.get("skipped") or ())
    return names, len(names) == kept.get("skipped_count", 0)
