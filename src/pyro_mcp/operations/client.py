"""The SDK's client, whose methods are the declarations that the other doors are derived from."""

import os
from collections.abc import Mapping, MutableMapping, Sequence
from copy import copy
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from pyro_mcp.errors import InvalidRequest
from pyro_mcp.models.arguments import (
    AllowHosts,
    Command,
    EnvironmentRef,
    EnvMapping,
    MemMib,
    NetworkPolicyArgument,
    NoHostCa,
    OutputListener,
    RequiredConfinement,
    RequiredIsolation,
    Stdin,
    TimeoutSeconds,
    VcpuCount,
)
from pyro_mcp.models.environment import EnvironmentInfo
from pyro_mcp.models.run import RunRequest, RunResult
from pyro_mcp.models.workspace_arguments import SeedPath
from pyro_mcp.operations.declare import CORE, EVERYWHERE, FULL, Profile, operation
from pyro_mcp.operations.engine import Engine
from pyro_mcp.operations.given import input_of, settings_of, words_of
from pyro_mcp.operations.noun import Confine, Scope
from pyro_mcp.operations.vm import run_command

if TYPE_CHECKING:
    from pyro_mcp.mcp_server.server import PyroServer
    from pyro_mcp.operations.workspace import WorkspaceOperations
    from pyro_mcp.workspaces.exec import Told

_NO_VARIABLES: Mapping[str, str] = {}
Word = TypeVar("Word", bound=str)


class Pyro:
    """The client. Making one is free: nothing is started or written before the first call.

    `require_isolation="hardware"` and `require_confinement="full"` refuse with HostUnfit rather than fall back; the
    variables PYRO_REQUIRE_ISOLATION and PYRO_REQUIRE_CONFINEMENT say the same. `engine` stands in for pyro's own.

    As a context manager, or by `close()`, it lets go of its database at once; machines are no client's and go on.
    """

    def __init__(
        self,
        *,
        require_isolation: RequiredIsolation = None,
        require_confinement: RequiredConfinement = None,
        engine: Engine | None = None,
    ) -> None:
        self._isolation: RequiredIsolation = _required(
            "PYRO_REQUIRE_ISOLATION", require_isolation, "hardware"
        )
        self._confinement: RequiredConfinement = _required(
            "PYRO_REQUIRE_CONFINEMENT", require_confinement, "full"
        )
        self._output_limit: int | None = None
        self._confine: Confine | None = None
        self._narrow = False
        self._told: MutableMapping[str, Told] | None = None
        self._given_engine = engine

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close what is open. A client that is used again afterwards opens it anew."""
        if self._given_engine is not None:
            self._given_engine.close()

    @property
    def workspace(self) -> "WorkspaceOperations":
        """Workspaces: machines that stay until they are deleted."""
        from pyro_mcp.operations.workspace import WorkspaceOperations  # `pyro run` does without

        settings = (
            self._isolation,
            self._confinement,
            self._output_limit,
            self._confine,
            self._told,
            self._narrow,
        )
        return WorkspaceOperations(Scope(lambda: self._engine, *settings))

    @operation(
        "vm_run",
        title="Run in a throwaway machine",
        effect="changes",
        profiles=EVERYWHERE,
        cli=("run",),
        only_in={"seed_path": CORE, "network_policy": FULL, "allow_hosts": FULL, "no_host_ca": FULL},
    )
    def run(
        self,
        environment: EnvironmentRef,
        command: Command,
        *,
        env: EnvMapping = _NO_VARIABLES,
        stdin: Stdin = None,
        vcpu_count: VcpuCount = 1,
        mem_mib: MemMib = 1024,
        timeout_seconds: TimeoutSeconds = 600,
        seed_path: SeedPath = None,
        network_policy: NetworkPolicyArgument = "off",
        allow_hosts: AllowHosts = (),
        no_host_ca: NoHostCa = False,
        on_output: OutputListener = None,
    ) -> RunResult:
        """Run one command in a throwaway Linux machine. Use it to try or check something; nothing of it
        remains.

        A command that fails is an answer, not an error. The answer holds the output as text; with `on_output` it is told
        as it comes instead, as the stream's name and bytes, and the answer's is empty. `stdin` may be an open file.
        """
        request = RunRequest(
            environment=environment,
            command=words_of(command),
            env=dict(env),
            stdin=input_of(stdin),
            vcpu_count=vcpu_count,
            mem_mib=mem_mib,
            timeout_seconds=timeout_seconds,
            seed_path=None if seed_path is None else str(seed_path),
            network=settings_of(network_policy, allow_hosts, no_host_ca=no_host_ca),
            require_isolation=self._isolation,
            require_confinement=self._confinement,
        )
        return run_command(self._engine, request, on_output, self._output_limit)

    @operation(
        "vm_list_environments", title="List environments", effect="reads", profiles=FULL, cli=("env", "list")
    )
    def environments(self) -> list[EnvironmentInfo]:
        """List the environments that machines can boot, with state, size and digest."""
        return self._engine.environments()

    def prepare(self, environment: EnvironmentRef) -> None:
        """Build an environment, and what boots it, before it is needed. The first machine of it does so otherwise."""
        self._engine.prepare(environment)

    def bounded(self, output_limit: int, confine: Confine | None = None, *, narrow: bool = False) -> Self:
        """Give the same client with answers that keep at most this many bytes of each stream: its head and its tail.

        Of a command that goes on each later answer holds only what is new, for its caller has read the rest.
        `confine` checks what paths of this computer its calls lead to. `narrow`: answers tell of nothing that only the
        widest profile has.
        """
        twin = copy(self)
        twin._output_limit, twin._confine, twin._told, twin._narrow = output_limit, confine, {}, narrow
        return twin

    def create_server(
        self,
        profile: Profile = "workspace-full",
        *,
        host_roots: Sequence[str] = (),
        working_directory: bool = True,
    ) -> "PyroServer":
        """Make an MCP server that offers this client's operations, as many as the profile has.

        Its callers reach files of this computer only below `host_roots`; without any, below the working directory, unless
        that is / or the home directory. With `working_directory=False` it does not stand in for them.
        """
        from pyro_mcp.mcp_server.server import PyroServer  # the mcp package takes 0.9 s to import

        return PyroServer(self, profile, host_roots, working_directory=working_directory)

    @property
    def _engine(self) -> Engine:
        if self._given_engine is None:
            from pyro_mcp.workspaces.engine import Engine as OwnEngine  # not needed to declare anything
            from pyro_mcp.workspaces.machines.promises import Promises

            self._given_engine = OwnEngine(promises=Promises(self._isolation, self._confinement))
        return self._given_engine


def create_server(
    profile: Profile = "workspace-full", *, host_roots: Sequence[str] = (), working_directory: bool = True
) -> "PyroServer":
    """Make an MCP server with pyro's own settings; `.run()` serves standard input and output."""
    return Pyro().create_server(profile, host_roots=host_roots, working_directory=working_directory)


def _required(variable: str, given: Word | None, only: Word) -> Word | None:
    """What the caller asked for, else what the variable does; both know one word."""
    asked = given if given is not None else os.environ.get(variable) or None
    if asked is None:
        return None
    if asked != only:
        raise InvalidRequest(f"{variable} is {asked!r}", hint=f"It can be {only!r}, or unset.")
    return only
