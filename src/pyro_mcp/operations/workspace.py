"""Workspaces: machines that stay until they are deleted."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from pyro_mcp.host.interruption import current_interruption
from pyro_mcp.models.arguments import (
    AllowHosts,
    Command,
    EnvironmentRef,
    EnvMapping,
    MemMib,
    NetworkPolicyArgument,
    NoHostCa,
    OutputListener,
    Stdin,
    TimeoutSeconds,
    VcpuCount,
)
from pyro_mcp.models.diff import WorkspaceDiff
from pyro_mcp.models.events import WorkspaceLogs
from pyro_mcp.models.export import ExportReport
from pyro_mcp.models.file_arguments import (
    AllowPaths,
    BranchName,
    DiffFormatArgument,
    DiffIgnored,
    ExportFormatArgument,
    ExportPath,
    GuestPaths,
    OutputPath,
    Overwrite,
    RepositoryPath,
)
from pyro_mcp.models.secret_arguments import SecretEnv, SecretFiles, SecretValues, WithSecrets
from pyro_mcp.models.seed import GitFacts
from pyro_mcp.models.summary import WorkspaceComparison, WorkspaceSummary
from pyro_mcp.models.workspace import (
    DeletedWorkspace,
    ExecResult,
    ForkOutcome,
    WorkspaceInfo,
    WorkspaceStatus,
)
from pyro_mcp.models.workspace_arguments import (
    ClearLabels,
    ClearName,
    DiffFrom,
    DiffTo,
    DiskMib,
    EnvironmentFilter,
    EventKind,
    ExecAction,
    ExecId,
    ForkCount,
    FromSnapshot,
    GuestDirectory,
    IdleStopSeconds,
    IncludeIgnored,
    IncludeSensitive,
    LabelFilter,
    Labels,
    ListLimit,
    MaxOutputChars,
    NewIdleStopSeconds,
    NewLabels,
    NewName,
    NewNames,
    NewTtlSeconds,
    OtherName,
    SeedPath,
    Since,
    SnapshotRef,
    StateFilter,
    TtlSeconds,
    WaitSeconds,
    WorkspaceRef,
    WorkspaceRefs,
    YieldAfterSeconds,
)
from pyro_mcp.operations.declare import CORE, FULL, operation
from pyro_mcp.operations.lazy import lazily
from pyro_mcp.operations.noun import Noun
from pyro_mcp.operations.times import moment
from pyro_mcp.operations.vm import input_of, settings_of, words_of
from pyro_mcp.workspaces.promises import Promises

# Nouns below are imported when they are asked for: a command costs its own and no other.
if TYPE_CHECKING:
    from pyro_mcp.operations.disks import DiskOperations
    from pyro_mcp.operations.files import FileOperations
    from pyro_mcp.operations.handle import Workspace
    from pyro_mcp.operations.outputs import OutputOperations
    from pyro_mcp.operations.patches import PatchOperations
    from pyro_mcp.operations.services import ServiceOperations
    from pyro_mcp.operations.shells import ShellOperations
    from pyro_mcp.operations.snapshots import SnapshotOperations
    from pyro_mcp.operations.sync import SyncOperations
    from pyro_mcp.workspaces import diffing, lifecycle, logs, seed_facts, snapshot_diff, snapshots
    from pyro_mcp.workspaces import exec as commands
    from pyro_mcp.workspaces.export import run as exporting
    from pyro_mcp.workspaces.secrets import given
    from pyro_mcp.workspaces.summary import comparing, summarize
else:
    commands = lazily("pyro_mcp.workspaces.exec")
    comparing = lazily("pyro_mcp.workspaces.summary.comparing")
    diffing = lazily("pyro_mcp.workspaces.diffing")
    exporting = lazily("pyro_mcp.workspaces.export.run")
    given = lazily("pyro_mcp.workspaces.secrets.given")
    lifecycle = lazily("pyro_mcp.workspaces.lifecycle")
    logs = lazily("pyro_mcp.workspaces.logs")
    seed_facts = lazily("pyro_mcp.workspaces.seed_facts")
    snapshot_diff = lazily("pyro_mcp.workspaces.snapshot_diff")
    snapshots = lazily("pyro_mcp.workspaces.snapshots")
    summarize = lazily("pyro_mcp.workspaces.summary.summarize")

_NOTHING: Mapping[str, str] = {}
_ALL = 1_000_000
# With a listener the answer's own text is left empty; asking for none of it saves reading it back.
_LEAST_CHARS = 1


class WorkspaceOperations(Noun):
    """`pyro.workspace`: make workspaces, find them again, run commands in them, and delete them."""

    @property
    def output(self) -> "OutputOperations":
        """What commands wrote."""
        from pyro_mcp.operations.outputs import OutputOperations

        return OutputOperations(self._scope)

    @property
    def sync(self) -> "SyncOperations":
        """Later changes of the host."""
        from pyro_mcp.operations.sync import SyncOperations

        return SyncOperations(self._scope)

    @property
    def file(self) -> "FileOperations":
        """Files, without a shell."""
        from pyro_mcp.operations.files import FileOperations

        return FileOperations(self._scope)

    @property
    def patch(self) -> "PatchOperations":
        """Patches."""
        from pyro_mcp.operations.patches import PatchOperations

        return PatchOperations(self._scope)

    @property
    def disk(self) -> "DiskOperations":
        """The disks of stopped ones."""
        from pyro_mcp.operations.disks import DiskOperations

        return DiskOperations(self._scope)

    @property
    def snapshot(self) -> "SnapshotOperations":
        """Named states."""
        from pyro_mcp.operations.snapshots import SnapshotOperations

        return SnapshotOperations(self._scope)

    @property
    def service(self) -> "ServiceOperations":
        """Long-running processes."""
        from pyro_mcp.operations.services import ServiceOperations

        return ServiceOperations(self._scope)

    @property
    def shell(self) -> "ShellOperations":
        """Terminals that stay open."""
        from pyro_mcp.operations.shells import ShellOperations

        return ShellOperations(self._scope)

    @operation(
        "workspace_create",
        effect="changes",
        profiles=CORE,
        answers=WorkspaceStatus,
        only_in=dict.fromkeys(
            ("network_policy", "allow_hosts", "no_host_ca", "secrets", "secret_files"), FULL
        ),
    )
    def create(
        self,
        environment: EnvironmentRef = "debian:12",
        *,
        seed_path: SeedPath = None,
        name: NewName = None,
        labels: Labels = _NOTHING,
        vcpu_count: VcpuCount = 1,
        mem_mib: MemMib = 1024,
        disk_mib: DiskMib = 16384,
        idle_stop_seconds: IdleStopSeconds = 1800,
        ttl_seconds: TtlSeconds = None,
        include_ignored: IncludeIgnored = False,
        include_sensitive: IncludeSensitive = False,
        network_policy: NetworkPolicyArgument = "off",
        allow_hosts: AllowHosts = (),
        no_host_ca: NoHostCa = False,
        secrets: SecretValues = _NOTHING,
        secret_files: SecretFiles = _NOTHING,
    ) -> "Workspace":
        """Create and start a workspace: a Linux machine that stays until deleted, with a copy of a project in /workspace. Use it
        for work of several steps.

        The answer is a handle: its methods are this class's for that one workspace, `.info` is what is known of it. As a
        context manager it deletes the workspace at the end of the block.
        """
        from pyro_mcp.operations.handle import Workspace  # which is made of this class

        request = lifecycle.CreateRequest(
            environment=environment,
            seed_path=None if seed_path is None else str(seed_path),
            name=name,
            labels=dict(labels),
            vcpu_count=vcpu_count,
            mem_mib=mem_mib,
            disk_mib=disk_mib,
            idle_stop_seconds=idle_stop_seconds or None,
            ttl_seconds=ttl_seconds,
            include_ignored=include_ignored,
            include_sensitive=include_sensitive,
            network=settings_of(network_policy, allow_hosts, no_host_ca=no_host_ca),
            promises=Promises(self._scope.isolation, self._scope.confinement),
            secrets=given.given_secrets(secrets, secret_files),
        )
        return Workspace(self, lifecycle.create_workspace(self._sessions, request))

    @operation("workspace_list", title="List workspaces", effect="reads", profiles=CORE)
    def list(
        self,
        *,
        labels: LabelFilter = _NOTHING,
        state: StateFilter = None,
        environment: EnvironmentFilter = None,
        limit: ListLimit = None,
    ) -> list[WorkspaceInfo]:
        """List workspaces, newest activity first. Use it to find one again."""
        return lifecycle.list_workspaces(
            self._sessions, labels=labels, state=state, environment=environment, limit=limit or _ALL
        )

    @operation("workspace_status", title="Show workspace", effect="reads", profiles=CORE)
    def status(self, workspace: WorkspaceRef) -> WorkspaceStatus:
        """Show one workspace in full: state, sizes, what was copied in, what runs. Does not start it."""
        return lifecycle.workspace_status(self._sessions, workspace)

    @operation("workspace_update", idempotent=True, effect="changes", profiles=CORE)
    def update(
        self,
        workspace: WorkspaceRef,
        *,
        name: OtherName = None,
        clear_name: ClearName = False,
        labels: NewLabels = _NOTHING,
        clear_labels: ClearLabels = (),
        idle_stop_seconds: NewIdleStopSeconds = None,
        ttl_seconds: NewTtlSeconds = None,
    ) -> WorkspaceStatus:
        """Rename or relabel a workspace, or change its clocks."""
        request = lifecycle.UpdateRequest(
            name=name,
            clear_name=clear_name,
            labels=dict(labels),
            clear_labels=tuple(clear_labels),
            idle_stop_seconds=idle_stop_seconds,
            ttl_seconds=ttl_seconds,
        )
        return lifecycle.update_workspace(self._sessions, workspace, request)

    @operation(
        "workspace_exec", title="Run command", effect="changes", profiles=CORE, only_in={"secret_env": FULL}
    )
    def exec(
        self,
        workspace: WorkspaceRef,
        command: Command,
        *,
        cwd: GuestDirectory = "/workspace",
        env: EnvMapping = _NOTHING,
        stdin: Stdin = None,
        timeout_seconds: TimeoutSeconds = 600,
        yield_after_seconds: YieldAfterSeconds = None,
        max_output_chars: MaxOutputChars = None,
        secret_env: SecretEnv = _NOTHING,
        on_output: OutputListener = None,
    ) -> ExecResult:
        """Run a command in a workspace, as root. A stopped workspace is started first.

        A command that fails is an answer, not an error. With `on_output` the output is told as it comes, as the stream's
        name and bytes, and the answer's is empty; all of it is kept for `output.read`. `stdin` may be an open file.
        """
        request = commands.ExecRequest(
            command=words_of(command),
            cwd=cwd,
            env=dict(env),
            stdin=input_of(stdin),
            timeout_seconds=timeout_seconds,
            yield_after_seconds=yield_after_seconds,
            max_output_chars=_LEAST_CHARS if on_output else self._answer_chars(max_output_chars),
            secret_env=dict(secret_env),
        )
        result = commands.exec_command(self._sessions, workspace, request, on_output, current_interruption())
        if on_output is None:
            return result
        return replace(result, stdout="", stderr="", stdout_truncated=False, stderr_truncated=False)

    @operation("workspace_exec_wait", title="Wait for command", effect="changes", profiles=CORE)
    def exec_wait(
        self,
        workspace: WorkspaceRef,
        exec_id: ExecId,
        *,
        wait_seconds: WaitSeconds = 25,
        action: ExecAction = "wait",
    ) -> ExecResult:
        """Wait for a command that still runs, poll it, interrupt it or kill it."""
        return commands.wait_for_exec(
            self._sessions,
            workspace,
            exec_id,
            wait_seconds=wait_seconds,
            action=action,
            max_output_chars=self._answer_chars(None),
            interruption=current_interruption(),
        )

    @operation(
        "workspace_diff",
        title="Show changes",
        effect="reads",
        profiles=CORE,
        only_in={"from_snapshot": FULL, "to_snapshot": FULL},
    )
    def diff(
        self,
        workspace: WorkspaceRef,
        *,
        paths: GuestPaths = (),
        format: DiffFormatArgument = "patch",
        include_ignored: DiffIgnored = False,
        from_snapshot: DiffFrom = None,
        to_snapshot: DiffTo = None,
    ) -> WorkspaceDiff:
        """Show what changed in /workspace since it was created; the patch is as git makes it."""
        if to_snapshot is not None or from_snapshot not in (None, "baseline"):
            return snapshot_diff.diff_snapshots(
                self._sessions,
                workspace,
                from_snapshot=from_snapshot or "baseline",
                to_snapshot=to_snapshot,
                paths=tuple(paths),
                format=format,
                include_ignored=include_ignored,
            )
        with self._sessions.using(workspace, "diff") as session:
            return diffing.diff_workspace(
                session, paths=tuple(paths), format=format, include_ignored=include_ignored
            )

    @operation("workspace_summary", title="Summarize workspace", effect="reads", profiles=CORE)
    def summary(self, workspace: WorkspaceRef) -> WorkspaceSummary:
        """Tell what happened since the baseline, for a review: files changed by kind, tests before and after, failed commands,
        and what to look at.
        """
        return summarize.summarize(self._sessions, workspace)

    @operation("workspace_compare", title="Compare workspaces", effect="reads", profiles=CORE)
    def compare(self, workspaces: WorkspaceRefs) -> WorkspaceComparison:
        """Put several attempts side by side: change, tests, time, what to look at. Use it to choose one."""
        return comparing.compare_workspaces(self._sessions, tuple(workspaces))

    @operation("workspace_export", effect="changes", profiles=CORE)
    def export(
        self,
        workspace: WorkspaceRef,
        path: ExportPath = "/workspace",
        *,
        output_path: OutputPath = None,
        format: ExportFormatArgument = "files",
        branch_name: BranchName = None,
        repository_path: RepositoryPath = None,
        overwrite: Overwrite = False,
        allow_paths: AllowPaths = (),
    ) -> ExportReport:
        """Copy files, a patch or a git branch out of a workspace to the host, to hand over results."""
        sessions, confine = self._sessions, self._scope.confine
        with sessions.using(workspace, "export", path=path) as session:
            if format == "branch" and repository_path is None:
                repository_path = self._allowed_repository(seed_facts.git_facts(session.record))
            return exporting.export_workspace(
                session,
                sessions,
                path=path,
                output_path=None if output_path is None else str(output_path),
                format=format,
                branch_name=branch_name,
                repository_path=None if repository_path is None else str(repository_path),
                overwrite=overwrite,
                allow_paths=tuple(allow_paths),
                confirm=None if confine is None else partial(confine, "output_path"),
            )

    @operation("workspace_logs", title="Show history", effect="reads", profiles=CORE)
    def logs(
        self,
        workspace: WorkspaceRef,
        *,
        limit: ListLimit = None,
        since: Since = None,
        kind: EventKind = None,
    ) -> WorkspaceLogs:
        """Tell what was done in a workspace, when and with what outcome: the newest operations, oldest first."""
        return logs.workspace_logs(
            self._sessions, workspace, limit=limit or _ALL, since=moment(since), kind=kind
        )

    @operation("workspace_reset", effect="destroys", profiles=CORE, only_in={"snapshot": FULL})
    def reset(self, workspace: WorkspaceRef, snapshot: SnapshotRef = "baseline") -> WorkspaceStatus:
        """Put a workspace back as it was created; later changes are lost, its history and outputs stay."""
        return lifecycle.reset_workspace(self._sessions, workspace, snapshot)

    @operation("workspace_delete", effect="destroys", profiles=CORE)
    def delete(self, workspace: WorkspaceRef) -> DeletedWorkspace:
        """Delete a workspace with everything in it."""
        return lifecycle.delete_workspace(self._sessions, workspace)

    @operation("workspace_start", idempotent=True, effect="changes", profiles=FULL)
    def start(self, workspace: WorkspaceRef) -> WorkspaceStatus:
        """Start a stopped workspace. Other operations do so by themselves."""
        return lifecycle.start_workspace(self._sessions, workspace)

    @operation("workspace_stop", idempotent=True, effect="changes", profiles=FULL)
    def stop(self, workspace: WorkspaceRef) -> WorkspaceStatus:
        """Stop a workspace: what runs in it ends, its files stay."""
        return lifecycle.stop_workspace(self._sessions, workspace)

    @operation("workspace_fork", effect="changes", profiles=FULL)
    def fork(
        self,
        workspace: WorkspaceRef,
        *,
        count: ForkCount = 1,
        names: NewNames = (),
        from_snapshot: FromSnapshot = None,
        with_secrets: WithSecrets = False,
    ) -> Sequence[ForkOutcome]:
        """Make independent copies of a workspace, from now or from a snapshot; each has an outcome of its own."""
        return snapshots.fork_workspace(
            self._sessions,
            workspace,
            count=count,
            names=tuple(names),
            from_snapshot=from_snapshot,
            with_secrets=with_secrets,
        )

    def _allowed_repository(self, git: GitFacts | None) -> str | None:
        """Where the workspace came from, if this door may name it; None leaves it to the engine to say that there is none."""
        confine = self._scope.confine
        return confine("repository_path", git.repository) if git and confine else None

    def _answer_chars(self, asked: int | None) -> int | None:
        """The room in an answer: what the caller asks for, else what its door has."""
        limit = self._scope.output_limit
        return asked or (None if limit is None else 2 * limit)
