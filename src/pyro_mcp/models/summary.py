"""What happened in a workspace since its baseline, in facts for a reviewer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pyro_mcp.models.diff import DiffStatus
from pyro_mcp.models.workspace import ExecOutcome, WorkspaceState

FileKind = Literal["source", "test", "documentation", "dependencies", "configuration", "other"]
FindingReason = Literal[
    "test-deleted",
    "tests-removed",
    "test-skipped",
    "assertions-removed",
    "dependencies-changed",
    "executes-on-host",
    "made-executable",
    "link-leads-out",
    "large-file",
    "not-shown",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class SummarizedFile:
    """One changed file, and what kind of file it is."""

    path: str
    old_path: str | None = None
    status: DiffStatus
    kind: FileKind
    insertions: int = 0
    deletions: int = 0
    binary: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KindTotal:
    """All changed files of one kind."""

    kind: FileKind
    files: int
    insertions: int
    deletions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TestCounts:
    """What a test runner said at its end; `output_id` leads to the rest of what it said.

    `changed_since`: pyro's own operations changed files afterwards, so that it tells nothing of what is there now. Commands
    change files as well, but nobody recorded which.
    """

    __test__ = False  # its name would let pytest collect it

    command: str
    runner: str
    passed: int
    failed: int
    errors: int = 0
    skipped: int = 0
    output_id: str
    at: datetime
    changed_since: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedCommand:
    """A command that did not end well."""

    command: str
    outcome: ExecOutcome
    exit_code: int | None
    output_id: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Connections:
    """What the machine tried to reach, and how often it was let; `failed`: it was let, and nobody answered.

    The destinations that were tried most come first.
    """

    allowed: int = 0
    refused: int = 0
    failed: int = 0
    destinations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that a reviewer should look at: why, where, and the fact itself."""

    reason: FindingReason
    path: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceSummary:
    """What happened. Commands, tests and connections count since `since`, the creation or the last reset (then `reset_to` names
    its snapshot); changed files count since the baseline. Counts are whole; the lists name the newest.

    `tests_before` is the first test run, if nothing was changed by pyro's own operations before it; `tests_after` the last one.
    Findings are facts to look at, no verdict: an empty list is no proof that all is well.
    """

    workspace_id: str
    name: str | None
    state: WorkspaceState
    since: datetime
    reset_to: str | None = None
    files: tuple[SummarizedFile, ...]
    kinds: tuple[KindTotal, ...]
    insertions: int
    deletions: int
    # New files left out because the repository ignores them.
    ignored: int
    # New files left out because tools generate files of such names.
    generated: int
    commands_run: int
    commands_failed: int
    busy_ms: int
    failed: tuple[FailedCommand, ...]
    tests_before: TestCounts | None
    tests_after: TestCounts | None
    connections: Connections
    findings: tuple[Finding, ...]
    resumed: bool = False
    resumed_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One of the workspaces compared. `change` is equal where the changes are the same; None where nothing is changed."""

    workspace: str
    error: str | None = None
    files: int = 0
    insertions: int = 0
    deletions: int = 0
    change: str | None = None
    tests: TestCounts | None = None
    commands_run: int = 0
    commands_failed: int = 0
    busy_ms: int = 0
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedFile:
    """A changed file, and which of the workspaces changed it."""

    path: str
    workspaces: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceComparison:
    """Attempts side by side, in the order asked for; choosing is the caller's."""

    attempts: tuple[Attempt, ...]
    files: tuple[ComparedFile, ...]
