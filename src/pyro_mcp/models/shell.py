"""A workspace's shells as callers see them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

ShellView = Literal["text", "screen", "raw"]
ShellState = Literal["starting", "prompt", "continuation", "running", "ended"]
Waited = Literal["prompt", "idle", "pattern", "output", "ended", "timeout"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShellInfo:
    """A shell in short. `state` is continuation where the line that was entered is not complete; `exit_code` is that of the last
    command in it; `ended` tells why it has ended, if it has.
    """

    plural: ClassVar[str] = "shells"

    shell_id: str
    state: ShellState
    exit_code: int | None
    program: str
    cwd: str
    cols: int
    rows: int
    full_screen: bool
    attached: int
    opened_at: datetime
    ended: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShellText:
    """What was read of a shell. `view` is screen also where text was asked for and a full-screen program runs; `cursor` is where
    to go on, `dropped_bytes` is how much before it is not kept any more; a read from `skipped_from` gives what was left out
    as too much; `waited` tells what ended the wait.
    """

    shell_id: str
    text: str
    raw: bytes | None = None
    view: ShellView
    cursor: int
    dropped_bytes: int = 0
    truncated: bool = False
    skipped_from: int | None = None
    state: ShellState
    exit_code: int | None
    waited: Waited | None = None
    full_screen: bool = False
    cursor_row: int
    cursor_column: int
    ended: str | None = None
    resumed: bool = False
    resumed_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShellWritten:
    """What was typed. A read from `cursor` gives what came after it; `read` is what came, where it was waited for."""

    shell_id: str
    cursor: int
    written_bytes: int
    read: ShellText | None = None
