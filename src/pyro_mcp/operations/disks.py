"""The disks of stopped workspaces."""

import os
from typing import TYPE_CHECKING

from pyro_mcp.models.disk import DiskContent, DiskExport
from pyro_mcp.models.disk_arguments import DiskFormatArgument, MaxBytes, NewFile
from pyro_mcp.models.file import FileListing
from pyro_mcp.models.file_arguments import Depth, GuestPath, GuestTree
from pyro_mcp.models.workspace_arguments import WorkspaceRef
from pyro_mcp.operations.declare import FULL, operation
from pyro_mcp.operations.lazy import lazily
from pyro_mcp.operations.noun import Noun

if TYPE_CHECKING:
    from pyro_mcp.workspaces import disks
else:
    disks = lazily("pyro_mcp.workspaces.disks")


class DiskOperations(Noun):
    """`pyro.workspace.disk`: look into a stopped workspace without starting it."""

    @operation("workspace_disk_list", effect="reads", profiles=FULL)
    def list(
        self, workspace: WorkspaceRef, path: GuestTree = "/workspace", *, depth: Depth = 1
    ) -> FileListing:
        """List a directory of a stopped workspace without starting it: a throwaway machine looks at its disk."""
        return disks.list_disk(self._sessions, workspace, path, depth=depth)

    @operation("workspace_disk_read", effect="reads", profiles=FULL)
    def read(self, workspace: WorkspaceRef, path: GuestPath, *, max_bytes: MaxBytes = None) -> DiskContent:
        """Read a file of a stopped workspace without starting it."""
        return disks.read_disk(self._sessions, workspace, path, max_bytes=max_bytes)

    @operation("workspace_disk_export", effect="changes", profiles=FULL)
    def export(
        self, workspace: WorkspaceRef, *, output_path: NewFile, format: DiskFormatArgument = "tar"
    ) -> DiskExport:
        """Write the disk of a stopped workspace to a new file of the host.

        `tar` is the merged tree: the environment's files, the seed and all changes. `qcow2` and `raw` are the workspace's own
        disk, flattened: an ext4 filesystem that holds what changed, as the upper layers of two overlays (`root/upper` and
        `workspace/upper`); neither the environment nor the seed is in it.
        """
        return disks.export_disk(self._sessions, workspace, os.fspath(output_path), format=format)
