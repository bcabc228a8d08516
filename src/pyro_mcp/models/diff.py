"""What changed between two states of a workspace."""

from dataclasses import dataclass
from typing import Literal

DiffFormat = Literal["patch", "stat", "name-status"]
DiffStatus = Literal["added", "deleted", "modified", "renamed", "type-changed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDiff:
    """One changed file."""

    path: str
    # Base64 of the name when it is not UTF-8.
    path_bytes: str | None = None
    # Where it was before a rename.
    old_path: str | None = None
    old_path_bytes: str | None = None
    status: DiffStatus
    insertions: int = 0
    deletions: int = 0
    # As git writes it: "100644", "100755" or "120000".
    old_mode: str | None = None
    new_mode: str | None = None
    binary: bool = False
    # Percent, for a rename.
    similarity: int | None = None
    # Why the patch lacks this file's content.
    left_out: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceDiff:
    """The changed files, and the change in the form asked for."""

    files: tuple[FileDiff, ...]
    insertions: int = 0
    deletions: int = 0
    # The change as `git apply` takes it, when `patch_exact`.
    patch: str | None = None
    # False when `patch` is not byte-exact; see `patch_bytes`.
    patch_exact: bool = True
    # The exact patch when it is not UTF-8 text.
    patch_bytes: bytes | None = None
    stat: str | None = None
    name_status: str | None = None
    # New files left out because the repository ignores them.
    ignored: int = 0
    # New files left out because tools generate files of such names.
    generated: int = 0
    # Changed entries git has no form for: directories, sockets, devices.
    not_shown: int = 0
    # Of the paths asked for, those that nothing has, before or now.
    unmatched: tuple[str, ...] = ()
