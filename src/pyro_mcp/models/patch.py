"""What applying a patch did, or would do."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

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


class Tolerance(BaseModel):
    """Something in the patch that was not as it should be and was understood all the same."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    kind: ToleranceKind
    detail: str


class HunkOutcome(BaseModel):
    """What became of one hunk."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    hunk: int = Field(description="Number of the hunk within its file, from 1.")
    patch_line: int = Field(description="Line of the patch where the hunk starts.")
    applied: bool
    line: int | None = Field(default=None, description="Line of the old file where it fits.")
    offset: int = Field(default=0, description="Lines between where the patch expected it and where it fits.")
    tolerances: tuple[Tolerance, ...] = ()
    reason: str | None = Field(default=None, description="Why it was rejected.")
    candidates: tuple[int, ...] = Field(default=(), description="Lines where it would fit equally well.")
    nearest: tuple[NearMatch, ...] = ()


class PatchedFile(BaseModel):
    """What became of one file of the patch."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    path: str
    path_bytes: str | None = Field(default=None, description="Base64 of the name when it is not UTF-8.")
    old_path: str | None = Field(default=None, description="Where it was before a rename or copy.")
    action: PatchAction
    applied: bool
    type: EntryType | None = Field(
        default=None, description="Type after the patch; null when deleted or rejected."
    )
    insertions: int = 0
    deletions: int = 0
    hunks: tuple[HunkOutcome, ...] = ()
    tolerances: tuple[Tolerance, ...] = ()
    reason: str | None = Field(default=None, description="Why the file was rejected.")


class PatchReport(BaseModel):
    """What a patch did file by file; nothing at all was changed unless every hunk fits."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    applicable: bool = Field(description="Every hunk of every file fits.")
    dry_run: bool = False
    files: tuple[PatchedFile, ...]
    tolerances: tuple[Tolerance, ...] = ()
