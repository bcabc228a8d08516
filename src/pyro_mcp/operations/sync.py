"""Later changes of the host."""

from typing import TYPE_CHECKING

from pyro_mcp.models.file_arguments import DeleteMissing, Destination, HostWins, SourcePath
from pyro_mcp.models.push import PushReport
from pyro_mcp.models.workspace_arguments import WorkspaceRef
from pyro_mcp.operations.declare import CORE, operation
from pyro_mcp.operations.lazy import lazily
from pyro_mcp.operations.noun import Noun

if TYPE_CHECKING:
    from pyro_mcp.workspaces.push import run as pushing
else:
    pushing = lazily("pyro_mcp.workspaces.push.run")


class SyncOperations(Noun):
    """`pyro.workspace.sync`."""

    @operation(
        "workspace_sync_push", title="Push host changes", idempotent=True, effect="changes", profiles=CORE
    )
    def push(
        self,
        workspace: WorkspaceRef,
        source_path: SourcePath,
        *,
        dest: Destination = "/workspace",
        delete: DeleteMissing = False,
        overwrite: HostWins = False,
    ) -> PushReport:
        """Bring later changes of a host directory into a workspace, wholly or not at all. Its own changes stay."""
        sessions = self._sessions
        with sessions.using(workspace, "sync.push", source=str(source_path)) as session:
            return pushing.push_sync(
                session, sessions, str(source_path), dest=dest, delete=delete, overwrite=overwrite
            )
