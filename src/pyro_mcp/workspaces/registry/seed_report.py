"""What a workspace's record tells of the seed that it stands on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

from pyro_mcp.models.seed import GitFacts, SeedReport, SkippedPath

if TYPE_CHECKING:
    from pyro_mcp.workspaces.registry.workspaces import WorkspaceRecord


def git_facts(record: WorkspaceRecord) -> GitFacts | None:
    """Tell which repository a workspace was seeded from; None when it was none."""
    kept = json.loads(record.seed_report) if record.seed_report is not None else {}
    git = cast("dict[str, object] | None", kept.get("git"))
    if git is None:
        return None
    submodules = tuple(cast("list[str]", git.get("submodules") or ()))
    return GitFacts(**{**git, "submodules": submodules})  # type: ignore[arg-type]  # as as_json() wrote it


def skipped_paths(record: WorkspaceRecord) -> tuple[frozenset[str], bool]:
    """Give what could not be seeded, and whether these are all of it: a report is cut."""
    kept = json.loads(record.seed_report) if record.seed_report is not None else {}
    names = frozenset(str(item["path"]) for item in kept.get("skipped") or ())
    return names, len(names) == kept.get("skipped_count", 0)


def report_from(kept: dict[str, object]) -> SeedReport:
    """Read back what was kept of a seeding; the repository's facts stand apart."""
    values = dict(kept)
    skipped = values.pop("skipped")
    values.pop("git")
    assert isinstance(skipped, list)
    lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
    return SeedReport(**{**values, **lists}, skipped=tuple(SkippedPath(**item) for item in skipped))  # type: ignore[arg-type]  # likewise
