"""Named states of a workspace's disk."""

from typing import TYPE_CHECKING

from pyro_mcp.models.workspace import SnapshotInfo
from pyro_mcp.models.workspace_arguments import SnapshotName, WorkspaceRef
from pyro_mcp.operations.declare import FULL, operation
from pyro_mcp.operations.lazy import lazily
from pyro_mcp.operations.noun import Noun

if TYPE_CHECKING:
    from pyro_mcp.workspaces import snapshots
else:
    snapshots = lazily("pyro_mcp.workspaces.snapshots")


class SnapshotOperations(Noun):
    """`pyro.workspace.snapshot`: states to go back to or to fork from."""

    @operation("snapshot_create", effect="changes", profiles=FULL)
    def create(self, workspace: WorkspaceRef, snapshot: SnapshotName) -> SnapshotInfo:
        """Name the present state of a workspace's files, to reset to, fork from or compare with."""
        return snapshots.create_snapshot(self._sessions, workspace, snapshot)

    @operation("snapshot_list", title="List snapshots", effect="reads", profiles=FULL)
    def list(self, workspace: WorkspaceRef) -> list[SnapshotInfo]:
        """List a workspace's snapshots."""
        return snapshots.list_snapshots(self._sessions, workspace)

    @operation("snapshot_delete", effect="destroys", profiles=FULL)
    def delete(self, workspace: WorkspaceRef, snapshot: SnapshotName) -> SnapshotInfo:
        """Delete a snapshot; the workspace stays as it is."""
        return snapshots.delete_snapshot(self._sessions, workspace, snapshot)
