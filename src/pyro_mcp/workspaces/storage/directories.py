"""The directories of this host that workspaces have beside their disks."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pyro_mcp.errors import HostUnfit
from pyro_mcp.host.paths import Paths
from pyro_mcp.workspaces.registry import resources
from pyro_mcp.workspaces.registry.database import Change
from pyro_mcp.workspaces.registry.makers import this_process

# Needed once there is something in them: `workspace list` is as quick as what it imports is little.
if TYPE_CHECKING:
    from pyro_mcp.workspaces.outputs.store import OutputStore


class Directories:
    """One for each workspace, from its making to its end."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths

    def of(self, workspace_id: str) -> Path:
        """Name the directory of a workspace's own files."""
        return self._paths.state / "workspaces" / workspace_id

    def record(self, change: Change, workspace_id: str) -> None:
        """Record that directory before it is made: after a crash the next command removes it with its workspace."""
        resource = resources.plan(
            change,
            "directory",
            scope="workspace",
            owner=workspace_id,
            maker=this_process(),
            path=self.of(workspace_id),
        )
        resources.made(change, resource)

    def outputs(self, workspace_id: str) -> OutputStore:
        """Give what the commands of a workspace wrote."""
        from pyro_mcp.workspaces.outputs.store import OutputStore

        return OutputStore(self.of(workspace_id) / "outputs")

    def ended_file(self, workspace_id: str) -> Path:
        """Name the file in which a keeper says why its machine ended."""
        return self.of(workspace_id) / "ended"

    def pushed(self, workspace_id: str) -> Path:
        """Name the directory with a file for each layer of the disk that pushes wrote to: what they brought into it."""
        return self.of(workspace_id) / "pushed"

    def copy_pushed(self, source_id: str, fork_id: str) -> None:
        """Let a fork know what was pushed into the layers that it shares. Raises HostUnfit where that cannot be written."""
        from pyro_mcp.host.writing import write_whole

        there, here = self.pushed(source_id), self.pushed(fork_id)
        try:
            for file in there.glob("ly-*"):
                here.mkdir(mode=0o700, parents=True, exist_ok=True)
                with suppress(FileNotFoundError):  # its layer is gone: the two do not share it
                    write_whole(here / file.name, file.read_bytes())
        except OSError as error:
            raise HostUnfit(f"{here} cannot be written to", details=str(error)) from error

    def remove(self, workspace_id: str) -> None:
        """Remove all that a workspace has here; what cannot be removed now, the next command finds."""
        import shutil

        shutil.rmtree(self.of(workspace_id), ignore_errors=True)
