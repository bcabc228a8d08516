"""Collect what a seed's report tells, while the seed is chosen and while it is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pyro_mcp.models.names import display_name
from pyro_mcp.models.seed import GitFacts, SeedKind, SeedReport, SkippedPath


@dataclass
class Findings:
    """Everything that is not simply taken. Lists of all names: bounded when they are reported."""

    kind: SeedKind = "directory"
    source: str | None = None
    ignored: list[bytes] = field(default_factory=list)
    withheld: list[bytes] = field(default_factory=list)
    sensitive_tracked: list[bytes] = field(default_factory=list)
    skipped: list[tuple[bytes, str]] = field(default_factory=list)
    skipped_uncounted: int = 0
    changing: list[bytes] = field(default_factory=list)
    git: GitFacts | None = None

    def skip(self, path: bytes, reason: str) -> None:
        """Note what cannot be taken. A hostile archive may have millions: past a few thousand they are only counted."""
        if len(self.skipped) < 5000:
            self.skipped.append((path, reason))
        else:
            self.skipped_uncounted += 1

    def report(
        self, *, files: int, directories: int, symlinks: int, size: int, top: bytes = b""
    ) -> SeedReport:
        """Give the report on what was taken, these numbers, and on what was not."""
        skipped = sorted(self.skipped)[: SeedReport.LISTED]
        return SeedReport(
            kind=self.kind,
            source=self.source,
            files=files,
            directories=directories,
            symlinks=symlinks,
            bytes=size,
            ignored=_listed(self.ignored),
            ignored_count=len(self.ignored),
            withheld=_listed(self.withheld),
            withheld_count=len(self.withheld),
            sensitive_tracked=_listed(self.sensitive_tracked),
            sensitive_tracked_count=len(self.sensitive_tracked),
            skipped=tuple(SkippedPath(path=display_name(path), reason=reason) for path, reason in skipped),
            skipped_count=len(self.skipped) + self.skipped_uncounted,
            changing=_listed(self.changing),
            git=self.git,
            top=display_name(top),
        )


def _listed(paths: Sequence[bytes]) -> tuple[str, ...]:
    """The first names, directories and what lies near the top before what lies deep."""
    ordered = sorted(paths, key=lambda path: (path.rstrip(b"/").count(b"/"), path))
    return tuple(map(display_name, ordered[: SeedReport.LISTED]))
