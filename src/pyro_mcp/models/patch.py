"""What applying a patch did, or would do."""

from dataclasses import dataclass
from typing import Literal

from pyro_mcp.models.nearest import NearMatch

ToleranceKind = Literal[
    "surrounding_text",
    "patch_line_endings",
    "hunk_counts",
    "hunk_header",
    "hunk_order",
    "line_prefix",
    "offset",
    "line_endings",
    "trailing_whitespace",
    "newline_at_end",
    "anchor",
    "path_prefix",
    "envelope",
    "missing_header",
    "unverified",
]
PatchAction = Literal["add", "delete", "modify", "rename", "copy"]
EntryType = Literal["regular", "executable", "symlink"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """Something in the patch that was not as it should be and was understood all the same."""

    kind: ToleranceKind
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HunkOutcome:
    """What became of one hunk."""

    # Number of the hunk within its file, from 1.
    hunk: int
    # Line of the patch where the hunk starts.
    patch_line: int
    applied: bool
    # Line of the old file where it fits.
    line: int | None = None
    # Lines between where the patch expected it and where it fits.
    offset: int = 0
    tolerances: tuple[Tolerance, ...] = ()
    # Why it was rejected.
    reason: str | None = None
    # Lines where it would fit equally well.
    candidates: tuple[int, ...] = ()
    nearest: tuple[NearMatch, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchedFile:
    """What became of one file of the patch."""

    path: str
    # Base64 of the name when it is not UTF-8.
    path_bytes: str | None = None
    # Where it was before a rename or copy.
    old_path: str | None = None
    action: PatchAction
    applied: bool
    # Type after the patch; null when deleted or rejected.
    type: EntryType | None = None
    insertions: int = 0
    deletions: int = 0
    hunks: tuple[HunkOutcome, ...] = ()
    tolerances: tuple[Tolerance, ...] = ()
    # Why the file was rejected.
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchReport:
    """What a patch did file by file; nothing at all was changed unless every hunk fits."""

    # Every hunk of every file fits.
    applicable: bool
    dry_run: bool = False
    files: tuple[PatchedFile, ...]
    tolerances: tuple[Tolerance, ...] = ()
