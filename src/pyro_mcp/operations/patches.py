"""Patches."""

from typing import TYPE_CHECKING

from pyro_mcp.models.file_arguments import DryRun, PatchText, StripLevels
from pyro_mcp.models.patch import PatchReport
from pyro_mcp.models.workspace_arguments import WorkspaceRef
from pyro_mcp.operations.declare import CORE, operation
from pyro_mcp.operations.lazy import lazily
from pyro_mcp.operations.noun import Noun

if TYPE_CHECKING:
    from pyro_mcp.workspaces.patch import applying
else:
    applying = lazily("pyro_mcp.workspaces.patch.applying")


class PatchOperations(Noun):
    """`pyro.workspace.patch`."""

    @operation("workspace_patch_apply", effect="changes", profiles=CORE)
    def apply(
        self,
        workspace: WorkspaceRef,
        patch: PatchText,
        *,
        dry_run: DryRun = False,
        strip: StripLevels = "auto",
    ) -> PatchReport:
        """Apply a patch to /workspace, wholly or not at all."""
        with self._sessions.using(workspace, "patch.apply") as session:
            return applying.apply_patch(session, patch, dry_run=dry_run, strip=strip)
