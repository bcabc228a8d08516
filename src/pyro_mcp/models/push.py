"""What came of bringing later changes of the host into a workspace."""

from dataclasses import dataclass
from typing import ClassVar

from pyro_mcp.models.seed import SkippedPath


@dataclass(frozen=True, slots=True, kw_only=True)
class PushReport:
    """How many entries were written and removed, how many needed nothing, and what stayed, was lost or left out.

    `kept` names what only the workspace had changed: it stays so. `overwritten` was changed on both sides and is the host's
    now (outside /workspace: whatever was there); `withheld` are untracked files that likely hold secrets. Each list is cut at
    50 names; its count is whole.
    """

    # A list of names is for people to look through; more are counted.
    LISTED: ClassVar[int] = 50

    source: str
    dest: str
    changed: int
    removed: int
    unchanged: int
    bytes: int
    kept: tuple[str, ...] = ()
    kept_count: int = 0
    overwritten: tuple[str, ...] = ()
    overwritten_count: int = 0
    withheld: tuple[str, ...] = ()
    withheld_count: int = 0
    skipped: tuple[SkippedPath, ...] = ()
    skipped_count: int = 0
