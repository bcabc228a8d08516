"""What came of seeding a workspace, or of pushing later changes into it."""

from dataclasses import dataclass
from typing import ClassVar, Literal

SeedKind = Literal["none", "directory", "git", "tar"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SkippedPath:
    """Something that could not be taken, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GitFacts:
    """The repository a seed came from. `commit` is HEAD's, None before the first; `branch` is None when HEAD names none.

    `history` says whether `.git` is in the seed; `subdirectory` is the seeded part of the repository, "" for all of it.
    """

    repository: str
    commit: str | None = None
    branch: str | None = None
    history: bool = True
    subdirectory: str = ""
    submodules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedReport:
    """What a seed holds and what was left out. Each list is cut at 50 names; its count is whole.

    `ignored` names what git ignores, a directory once and not what is in it; `withheld` are untracked files that likely hold
    secrets; `sensitive_tracked` are such files that the repository tracks, which are in the seed. `top` is the directory that
    all of it lies below, as in an archive of a release; "" where there is none.
    """

    # A list of names is for people to look through; more are counted.
    LISTED: ClassVar[int] = 50

    kind: SeedKind
    source: str | None = None
    files: int = 0
    directories: int = 0
    symlinks: int = 0
    bytes: int = 0
    ignored: tuple[str, ...] = ()
    ignored_count: int = 0
    withheld: tuple[str, ...] = ()
    withheld_count: int = 0
    sensitive_tracked: tuple[str, ...] = ()
    sensitive_tracked_count: int = 0
    skipped: tuple[SkippedPath, ...] = ()
    skipped_count: int = 0
    changing: tuple[str, ...] = ()
    git: GitFacts | None = None
    cached: bool = False
    top: str = ""
