"""A workspace as callers see it, and what came of a command in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Literal

from pyro_mcp.models.narrowing import ONLY_FULL
from pyro_mcp.models.network import NetworkDecision, NetworkPolicy
from pyro_mcp.models.run import Confinement, Isolation
from pyro_mcp.models.seed import SeedReport

WorkspaceState = Literal["creating", "running", "stopped", "failed", "deleting"]
ExecOutcome = Literal["finished", "timed_out", "interrupted", "killed", "running", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceInfo:
    """A workspace in short. Isolation and confinement are those of its machine, None while it has none."""

    plural: ClassVar[str] = "workspaces"

    workspace_id: str
    name: str | None
    labels: Mapping[str, str] = field(default_factory=dict)
    state: WorkspaceState
    environment: str
    isolation: Isolation | None
    confinement: Confinement | None
    created_at: datetime
    last_activity_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceStatus:
    """A workspace in full. `stored_bytes` is what its own layers take on the host, `output_bytes` the kept output
    of its commands and all else that ran in it."""

    workspace_id: str
    name: str | None
    labels: Mapping[str, str] = field(default_factory=dict)
    state: WorkspaceState
    state_reason: str | None
    environment: str
    isolation: Isolation | None
    confinement: Confinement | None
    created_at: datetime
    last_activity_at: datetime
    vcpu_count: int
    mem_mib: int
    disk_mib: int
    idle_stop_seconds: int | None
    ttl_seconds: int | None
    seed: SeedReport | None
    stored_bytes: int
    output_bytes: int
    running: tuple[str, ...] = ()
    resumed: bool = False
    resumed_reason: str | None = None
    network_policy: NetworkPolicy = field(default="off", metadata=ONLY_FULL)
    allow_hosts: tuple[str, ...] = field(default=(), metadata=ONLY_FULL)
    # Names; no answer ever has a value.
    secrets: tuple[str, ...] = field(default=(), metadata=ONLY_FULL)
    # Those that run; `running` are commands.
    services: tuple[str, ...] = field(default=(), metadata=ONLY_FULL)
    shells: tuple[str, ...] = field(default=(), metadata=ONLY_FULL)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecResult:
    """What came of a command, or that it still runs: then ask again with its `exec_id`.

    A command that failed is a result like any other. `unknown` means that its machine died while it ran. An answer that goes on
    from an earlier one holds only what is new: `stdout_from` and `stderr_from` say where it begins.
    """

    outcome: ExecOutcome
    exit_code: int | None
    signal: int | None = None
    stdout: str = ""
    stderr: str = ""
    duration_ms: int
    exec_id: str
    output_id: str
    stdout_truncated: bool = False
    stderr_truncated: bool = False
    # Where in the whole output the texts begin, and how much there is of it so far, in bytes.
    stdout_from: int = 0
    stderr_from: int = 0
    stdout_bytes: int = 0
    stderr_bytes: int = 0
    # What it had left running in the background was ended with it.
    left_running: bool = False
    # Something was tried to be reached while it ran, and the machine has no network.
    no_network: bool = False
    # What was refused while it ran; the history has all.
    network: tuple[NetworkDecision, ...] = field(default=(), metadata=ONLY_FULL)
    resumed: bool = False
    resumed_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputText:
    """A part of a command's kept output. `next_offset` is None at its end; offsets count bytes.

    Of a search: `matches` lines are given, the first or (`from_end`) the last of `total_matches` that there are, None where
    counting them took too long; `gave_up` when the search itself did. `other_matches`: where none matches, how many lines of
    the other stream do.
    """

    output_id: str
    stream: Literal["stdout", "stderr"]
    text: str
    offset: int
    next_offset: int | None
    size: int
    matches: int | None = None
    total_matches: int | None = None
    other_matches: int | None = None
    from_end: bool = False
    gave_up: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedWorkspace:
    """The workspace that is gone, and the bytes that came free."""

    workspace_id: str
    name: str | None
    freed_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ForkOutcome:
    """One fork: the new workspace, or why there is none."""

    plural: ClassVar[str] = "forks"

    workspace: WorkspaceInfo | None
    error: str | None = None
    # An error's code, as in every answer that is one, and what to do about it.
    code: str | None = None
    hint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotInfo:
    """A named state of a workspace's disk; `parent` is the one it grew from."""

    plural: ClassVar[str] = "snapshots"

    name: str
    parent: str | None
    created_at: datetime
    size_bytes: int
