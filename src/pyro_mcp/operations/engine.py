"""What the public surface needs from below: workspaces/engine.py is the one there is, tests bring a smaller one."""

from typing import TYPE_CHECKING, Protocol

from pyro_mcp.host.interruption import Interruption
from pyro_mcp.models.environment import EnvironmentInfo
from pyro_mcp.models.run import OnOutput, RunRequest, RunResult

if TYPE_CHECKING:
    from pyro_mcp.workspaces.session import Sessions


class Engine(Protocol):
    """The product without a door. Everything it raises is a PyroError, or was raised by a callback of the caller's."""

    def run(
        self, request: RunRequest, on_output: OnOutput | None = None, interrupted: Interruption | None = None
    ) -> RunResult:
        """Run one command in a machine that is gone when this returns or raises.

        Output goes to `on_output` as it comes, never kept: `stdout` and `stderr` of the answer are empty. What
        `on_output` raises ends the machine and is raised on. Wishes of `interrupted` are acted on (`heeded()`) from when
        the command runs. Raises NotFound, with near names, before anything is started for an unknown environment.
        """
        ...

    def environments(self) -> list[EnvironmentInfo]:
        """Tell every environment that can be named, built or not."""
        ...

    def prepare(self, environment: str) -> None:
        """Build an environment and what boots it, where they are not there yet."""
        ...

    @property
    def sessions(self) -> "Sessions":
        """The way to the workspaces."""
        ...

    def close(self) -> None:
        """Give back what is held open; it can be used again."""
        ...
