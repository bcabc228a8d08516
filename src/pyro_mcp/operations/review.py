"""What came of the work in a workspace: shown, weighed, taken out."""

from functools import partial
from typing import TYPE_CHECKING

# Answers, too: a command costs its own and no other.
from pyro_mcp.models.events import ONLY_FULL_KINDS
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
from pyro_mcp.models.workspace_arguments import (
    DiffFrom,
    DiffTo,
    EventKind,
    ListLimit,
    Since,
    WorkspaceRef,
    WorkspaceRefs,
)
from pyro_mcp.operations.declare import CORE, FULL, operation
from pyro_mcp.operations.lazy import lazily
from pyro_mcp.operations.noun import Noun
from pyro_mcp.operations.times import moment

if TYPE_CHECKING:
    from pyro_mcp.models.diff import WorkspaceDiff
    from pyro_mcp.models.events import WorkspaceLogs
    from pyro_mcp.models.export import ExportReport
    from pyro_mcp.models.seed import GitFacts
    from pyro_mcp.models.summary import WorkspaceComparison, WorkspaceSummary
    from pyro_mcp.workspaces.diff import baseline, between
    from pyro_mcp.workspaces.export import run as exporting
    from pyro_mcp.workspaces.history import logs
    from pyro_mcp.workspaces.registry import seed_report
    from pyro_mcp.workspaces.summary import comparing, summarize
else:
    comparing = lazily("pyro_mcp.workspaces.summary.comparing")
    baseline = lazily("pyro_mcp.workspaces.diff.baseline")
    exporting = lazily("pyro_mcp.workspaces.export.run")
    logs = lazily("pyro_mcp.workspaces.history.logs")
    seed_report = lazily("pyro_mcp.workspaces.registry.seed_report")
    between = lazily("pyro_mcp.workspaces.diff.between")
    summarize = lazily("pyro_mcp.workspaces.summary.summarize")

_ALL = 1_000_000


class Review(Noun):
    """The part of `pyro.workspace` that shows results and hands them over."""

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
    ) -> "WorkspaceDiff":
        """Show what changed in /workspace since it was created; the patch is as git makes it."""
        if to_snapshot is not None or from_snapshot not in (None, "baseline"):
            return between.diff_snapshots(
                self._sessions,
                workspace,
                from_snapshot=from_snapshot or "baseline",
                to_snapshot=to_snapshot,
                paths=tuple(paths),
                format=format,
                include_ignored=include_ignored,
            )
        with self._sessions.using(workspace, "diff") as session:
            return baseline.diff_workspace(
                session, paths=tuple(paths), format=format, include_ignored=include_ignored
            )

    @operation("workspace_summary", title="Summarize workspace", effect="reads", profiles=CORE)
    def summary(self, workspace: WorkspaceRef) -> "WorkspaceSummary":
        """Tell a reviewer what happened since the baseline: files by kind, tests before and after, failed commands."""
        return summarize.summarize(self._sessions, workspace)

    @operation("workspace_compare", title="Compare workspaces", effect="reads", profiles=CORE)
    def compare(self, workspaces: WorkspaceRefs) -> "WorkspaceComparison":
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
    ) -> "ExportReport":
        """Copy files, a patch or a git branch to the host, to hand over results."""
        sessions, confine = self._sessions, self._scope.confine
        with sessions.using(workspace, "export", path=path) as session:
            if format == "branch" and repository_path is None:
                repository_path = self._allowed_repository(seed_report.git_facts(session.record))
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
    ) -> "WorkspaceLogs":
        """Tell what was done in a workspace, when, and how it ended; oldest first."""
        return logs.workspace_logs(
            self._sessions,
            workspace,
            limit=limit or _ALL,
            since=moment(since),
            kind=kind,
            without=ONLY_FULL_KINDS if self._scope.narrow else (),
        )

    def _allowed_repository(self, git: "GitFacts | None") -> str | None:
        """Where the workspace came from, if this door may name it; None leaves it to the engine to say that there is none."""
        confine = self._scope.confine
        return confine("repository_path", git.repository) if git and confine else None
