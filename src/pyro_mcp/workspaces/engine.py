"""The engine: the one place where the parts of pyro are put together."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from pyro_mcp.host.interruption import Interruption
from pyro_mcp.host.paths import Paths
from pyro_mcp.models.environment import EnvironmentInfo
from pyro_mcp.models.run import OnOutput, RunRequest, RunResult
from pyro_mcp.workspaces.machines.promises import Promises
from pyro_mcp.workspaces.machines.values import passing_id

# Each part is imported when it is first used: what only looks at the registry costs no more than that.
if TYPE_CHECKING:
    from pyro_mcp.environments.store import EnvironmentStore
    from pyro_mcp.environments.values import EnvironmentListing
    from pyro_mcp.workspaces.machines.shop import MachineShop
    from pyro_mcp.workspaces.seeding.store import SeedStore
    from pyro_mcp.workspaces.session import Sessions


class Engine:
    """Everything pyro can do on this host. Synchronous, and safe to use from many threads."""

    def __init__(self, paths: Paths | None = None, promises: Promises | None = None) -> None:
        self._promises = promises or Promises()
        self.paths = paths or Paths.from_environment()

    def run(
        self, request: RunRequest, on_output: OnOutput | None = None, interrupted: Interruption | None = None
    ) -> RunResult:
        """Run one command in a throwaway machine of its environment, which is built first if need be."""
        from pyro_mcp.keeper.start import starting_keeper

        # The keeper's Python comes up while ours imports all that finds out what it is to hold.
        with starting_keeper(passing_id("run")) as keeper:
            from pyro_mcp.workspaces.run import run_in_throwaway

            return run_in_throwaway(keeper, self, request, on_output, interrupted)

    def environments(self) -> list[EnvironmentInfo]:
        """Tell every environment that can be named, built or not."""
        return [_info(listing) for listing in self.environment_store.list()]

    @cached_property
    def environment_store(self) -> EnvironmentStore:
        """The environments of this user."""
        from pyro_mcp.environments.store import EnvironmentStore

        return EnvironmentStore(self.paths)

    @cached_property
    def seeds(self) -> SeedStore:
        """The seeds of this user."""
        from pyro_mcp.workspaces.seeding.store import SeedStore

        return SeedStore(self.paths)

    @cached_property
    def shop(self) -> MachineShop:
        """What makes machines."""
        from pyro_mcp.workspaces.machines.shop import MachineShop

        return MachineShop(self.paths, self.environment_store)

    def prepare(self, environment: str) -> None:
        """Build an environment and what boots it, where they are not there yet."""
        self.environment_store.ensure(environment)
        self.environment_store.kit()

    @cached_property
    def sessions(self) -> Sessions:
        """The way to the workspaces; the registry is opened when it is first used."""
        from pyro_mcp.workspaces.registry.database import Registry
        from pyro_mcp.workspaces.session import Sessions

        return Sessions(self.paths, Registry.at(self.paths), self, self._promises)

    def close(self) -> None:
        """Close the registry, if it was used."""
        if "sessions" in self.__dict__:
            self.sessions.registry.close()


def _info(listing: EnvironmentListing) -> EnvironmentInfo:
    return EnvironmentInfo(
        name=listing.name,
        state="available" if listing.built else "not_pulled",
        summary=listing.summary,
        digest=listing.digest,
        size_bytes=listing.size,
        built_at=listing.built_at,
    )
