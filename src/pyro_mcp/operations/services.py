"""Long-running processes of a workspace."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pyro_mcp.host.interruption import current_interruption
from pyro_mcp.models.arguments import Command, EnvMapping
from pyro_mcp.models.secret_arguments import SecretEnv
from pyro_mcp.models.service import PortMapping, ReadinessChoice, ServiceInfo, ServiceLogs
from pyro_mcp.models.service_arguments import (
    LogCursor,
    LogTail,
    PublishedPorts,
    ReadinessArgument,
    ReadyIntervalMs,
    ReadyTimeoutSeconds,
    ServiceRef,
)
from pyro_mcp.models.workspace_arguments import Grep, GuestDirectory, WorkspaceRef
from pyro_mcp.operations.declare import FULL, operation
from pyro_mcp.operations.given import words_of
from pyro_mcp.operations.lazy import lazily
from pyro_mcp.operations.noun import Noun

if TYPE_CHECKING:
    from pyro_mcp.workspaces.services import control, logs, state
else:
    control = lazily("pyro_mcp.workspaces.services.control")
    logs = lazily("pyro_mcp.workspaces.services.logs")
    state = lazily("pyro_mcp.workspaces.services.state")

_NOTHING: Mapping[str, str] = {}
# More than one answer in memory should hold; `next_cursor` leads on.
_WHOLE = 64 << 20


class ServiceOperations(Noun):
    """`pyro.workspace.service`: servers and the like, which go on while other things are done."""

    @operation("service_start", effect="changes", profiles=FULL)
    def start(
        self,
        workspace: WorkspaceRef,
        service: ServiceRef,
        command: Command,
        *,
        cwd: GuestDirectory = "/workspace",
        env: EnvMapping = _NOTHING,
        secret_env: SecretEnv = _NOTHING,
        readiness: ReadinessArgument = None,
        ready_timeout_seconds: ReadyTimeoutSeconds = 30,
        ready_interval_ms: ReadyIntervalMs = 500,
        published_ports: PublishedPorts = (),
    ) -> ServiceInfo:
        """Start a server or other long-running command, and wait until it is ready.

        Without `readiness` it is ready when it still runs after `ready_interval_ms`. One that ends before it is ready raises
        GuestFailed, one that is not ready in time is ended and raises LimitReached; both carry its last lines.
        """
        request = control.ServiceRequest(
            service=service,
            command=words_of(command),
            cwd=cwd,
            env=dict(env),
            secret_env=dict(secret_env),
            readiness=readiness.chosen() if isinstance(readiness, ReadinessChoice) else readiness,
            ready_timeout_seconds=ready_timeout_seconds,
            ready_interval_ms=ready_interval_ms,
            ports=tuple(PortMapping.from_text(port) for port in published_ports),
        )
        return control.start_service(self._sessions, workspace, request, current_interruption())

    @operation("service_list", title="List services", effect="reads", profiles=FULL)
    def list(self, workspace: WorkspaceRef) -> list[ServiceInfo]:
        """List a workspace's services, those that ended too."""
        return state.list_services(self._sessions, workspace)

    @operation("service_status", title="Show service", effect="reads", profiles=FULL)
    def status(self, workspace: WorkspaceRef, service: ServiceRef) -> ServiceInfo:
        """Tell how one service stands and which ports lead to it."""
        return state.service_status(self._sessions, workspace, service)

    @operation("service_logs", title="Read service logs", effect="reads", profiles=FULL)
    def logs(
        self,
        workspace: WorkspaceRef,
        service: ServiceRef,
        *,
        tail_lines: LogTail = 200,
        cursor: LogCursor = None,
        grep: Grep = None,
    ) -> ServiceLogs:
        """Read what a service wrote since its last start."""
        limit = self._scope.output_limit
        return logs.service_logs(
            self._sessions,
            workspace,
            service,
            tail_lines=tail_lines,
            cursor=cursor,
            grep=grep,
            limit=_WHOLE if limit is None else 2 * limit,
        )

    @operation("service_stop", effect="changes", profiles=FULL)
    def stop(self, workspace: WorkspaceRef, service: ServiceRef) -> ServiceInfo:
        """End a service (TERM, then KILL after 10 s) and close its ports; its log stays."""
        return control.stop_service(self._sessions, workspace, service)
