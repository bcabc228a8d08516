"""What was copied out of a workspace."""

from dataclasses import dataclass
from typing import ClassVar, Literal

ExportFormat = Literal["files", "patch", "branch"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Something that was not exported, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportReport:
    """Where the export is on the host, and what it holds.

    `output_path` is of files or a patch; the commits are of a branch: `base` is what the workspace was seeded from, `dirty` the
    commit of what was not committed then, None when there was nothing of that. `left_out` is cut at 50; its count is whole.
    `ignored` and `generated` count new files that a patch or a branch lacks, as a diff does.
    """

    # A list of names is for people to look through; more are counted.
    LISTED: ClassVar[int] = 50

    format: ExportFormat
    files: int
    bytes: int = 0
    output_path: str | None = None
    repository: str | None = None
    branch: str | None = None
    base: str | None = None
    dirty: str | None = None
    commit: str | None = None
    left_out: tuple[LeftOut, ...] = ()
    left_out_count: int = 0
    ignored: int = 0
    generated: int = 0
