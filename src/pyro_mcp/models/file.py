"""Files of a workspace as callers see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from pyro_mcp.models.edit import Replacement

FileKind = Literal["file", "directory", "symlink", "other"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEntry:
    """One entry of a directory; `mode` in octal, `target` of a symlink."""

    path: str
    # Base64 of the name when it is not UTF-8.
    path_bytes: str | None = None
    kind: FileKind
    size: int
    mode: str
    target: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileListing:
    """Entries below a directory, ordered by path; `more` when the limit cut them."""

    plural: ClassVar[str] = "entries"

    path: str
    entries: tuple[FileEntry, ...]
    more: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FileContent:
    """A file, or some of its lines. `sha256` is of the whole file: give it back as `if_match`.

    `content` is the exact text, or base64 where that was asked for. `truncated`: it ends before what was asked for, between two
    lines, or within one that is longer than the answer may be: then `cut_chars` of that one are missing.
    """

    path: str
    path_bytes: str | None = None
    content: str
    encoding: Literal["utf-8", "base64"]
    start_line: int
    end_line: int
    total_lines: int
    size: int
    mode: str
    sha256: str
    truncated: bool = False
    cut_chars: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FileWritten:
    """A file as it is now."""

    path: str
    size: int
    mode: str
    sha256: str
    created: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEdited:
    """A file after its edits: where each replacement is now, and the file's new hash."""

    path: str
    replacements: tuple[Replacement, ...]
    total: int
    size: int
    sha256: str
    line_endings_adapted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRemoved:
    """What is gone, or where it was moved to."""

    path: str
    moved_to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchMatch:
    """A line that matched, with lines around it where they were asked for."""

    path: str
    path_bytes: str | None = None
    line: int
    text: str
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """Matching lines, of `files` that have some among those `searched`; `more` when a limit or the time ended the search.

    Files with a NUL byte, and of more than 16 MiB, are not searched but counted.
    """

    plural: ClassVar[str] = "matches"

    matches: tuple[SearchMatch, ...]
    files: int
    searched: int
    skipped_binary: int
    skipped_large: int = 0
    more: bool = False
