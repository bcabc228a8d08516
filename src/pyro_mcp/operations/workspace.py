"""Workspaces: machines that stay until they are deleted."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pyro_mcp.models.arguments import (
    AllowHosts,
    EnvironmentRef,
    MemMib,
    NetworkPolicyArgument,
    NoHostCa,
    VcpuCount,
)
from pyro_mcp.models.secret_arguments import SecretFiles, SecretValues
from pyro_mcp.models.workspace import WorkspaceStatus
from pyro_mcp.models.workspace_arguments import (
    DiskMib,
    IdleStopSeconds,
    IncludeIgnored,
    IncludeSensitive,
    Labels,
    NewName,
    SeedPath,
    TtlSeconds,
)
from pyro_mcp.operations.commands import Commands
from pyro_mcp.operations.declare import CORE, FULL, operation
from pyro_mcp.operations.given import settings_of
from pyro_mcp.operations.known import KnownWorkspaces
from pyro_mcp.operations.lazy import lazily
from pyro_mcp.operations.review import Review
from pyro_mcp.operations.states import States
from pyro_mcp.workspaces.machines.promises import Promises

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
    from pyro_mcp.workspaces import lifecycle
    from pyro_mcp.workspaces.secrets import given
else:
    given = lazily("pyro_mcp.workspaces.secrets.given")
    lifecycle = lazily("pyro_mcp.workspaces.lifecycle")

_NOTHING: Mapping[str, str] = {}


class WorkspaceOperations(KnownWorkspaces, Commands, Review, States):
    """`pyro.workspace`: make workspaces, find them again, run commands in them, and delete them."""

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
            ttl_seconds=ttl_seconds or None,
            include_ignored=include_ignored,
            include_sensitive=include_sensitive,
            network=settings_of(network_policy, allow_hosts, no_host_ca=no_host_ca),
            promises=Promises(self._scope.isolation, self._scope.confinement),
            secrets=given.given_secrets(secrets, secret_files),
        )
        return Workspace(self, lifecycle.create_workspace(self._sessions, request))

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
