"""What changed between two states of a workspace."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

DiffFormat = Literal["patch", "stat", "name-status"]
DiffStatus = Literal["added", "deleted", "modified", "renamed", "type-changed"]


class FileDiff(BaseModel):
    """One changed file."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    path: str
    path_bytes: str | None = Field(default=None, description="Base64 of the name when it is not UTF-8.")
    old_path: str | None = Field(default=None, description="Where it was before a rename.")
    old_path_bytes: str | None = None
    status: DiffStatus
    insertions: int = 0
    deletions: int = 0
    old_mode: str | None = Field(
        default=None, description='As git writes it: "100644", "100755" or "120000".'
    )
    new_mode: str | None = None
    binary: bool = False
    similarity: int | None = Field(default=None, description="Percent, for a rename.")
    left_out: str | None = Field(default=None, description="Why the patch lacks this file's content.")


class WorkspaceDiff(BaseModel):
    """The changed files, and the change in the form asked for."""

    model_config = ConfigDict(frozen=True, defer_build=True, ser_json_bytes="base64", val_json_bytes="base64")

    files: tuple[FileDiff, ...]
    insertions: int = 0
    deletions: int = 0
    patch: str | None = Field(
        default=None, description="The change as `git apply` takes it, when `patch_exact`."
    )
    patch_exact: bool = Field(
        default=True, description="False when `patch` is not byte-exact; see `patch_bytes`."
    )
    patch_bytes: bytes | None = Field(default=None, description="The exact patch when it is not UTF-8 text.")
    stat: str | None = None
    name_status: str | None = None
    ignored: int = Field(default=0, description="Changed files left out because the repository ignores them.")
    not_shown: int = Field(
        default=0, description="Changed entries git has no form for: directories, sockets, devices."
    )
