"""The workspaces that there are: found again, looked at, renamed."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pyro_mcp.models.workspace import WorkspaceInfo, WorkspaceStatus
from pyro_mcp.models.workspace_arguments import (
    ClearLabels,
    ClearName,
    EnvironmentFilter,
    LabelFilter,
    ListLimit,
    NewIdleStopSeconds,
    NewLabels,
    NewTtlSeconds,
    OtherName,
    StateFilter,
    WorkspaceRef,
)
from pyro_mcp.operations.declare import CORE, operation
from pyro_mcp.operations.lazy import lazily
from pyro_mcp.operations.noun import Noun

if TYPE_CHECKING:
    from pyro_mcp.workspaces import lifecycle
else:
    lifecycle = lazily("pyro_mcp.workspaces.lifecycle")

_NOTHING: Mapping[str, str] = {}
_ALL = 1_000_000


class KnownWorkspaces(Noun):
    """The part of `pyro.workspace` that finds them again."""

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
        """Show one workspace in full, and what runs in it. Does not start it."""
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
