"""What becomes of a workspace: back to what it was, off and on, copied, deleted."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pyro_mcp.models.secret_arguments import WithSecrets
from pyro_mcp.models.workspace import DeletedWorkspace, ForkOutcome, WorkspaceStatus
from pyro_mcp.models.workspace_arguments import ForkCount, FromSnapshot, NewNames, SnapshotRef, WorkspaceRef
from pyro_mcp.operations.declare import CORE, FULL, operation
from pyro_mcp.operations.lazy import lazily
from pyro_mcp.operations.noun import Noun

if TYPE_CHECKING:
    from pyro_mcp.workspaces import lifecycle, snapshots
else:
    lifecycle = lazily("pyro_mcp.workspaces.lifecycle")
    snapshots = lazily("pyro_mcp.workspaces.snapshots")


class States(Noun):
    """The part of `pyro.workspace` that sets back, stops, copies and deletes."""

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
        count: ForkCount = None,
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
