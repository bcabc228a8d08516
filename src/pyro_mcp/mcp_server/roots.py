"""Which directories of this host MCP callers may name."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from pyro_mcp.errors import Conflict, InvalidRequest, PolicyDenied
from pyro_mcp.models.workspace_arguments import path_fault
from pyro_mcp.operations.declare import Parameter

_OPTION = "Only the user can allow another directory: pyro mcp serve --host-root DIR."


class Roots:
    """The directories below which host paths may lie. Where a link leads is what counts, at the time of the call."""

    def __init__(self, directories: Sequence[str]) -> None:
        self._directories = tuple(Path(given).expanduser().resolve() for given in directories)

    @classmethod
    def given_or_default(cls, directories: Sequence[str]) -> "Roots":
        """Those given, else the working directory: but not where that is everything, or everything of somebody's."""
        if directories:
            return cls(directories)
        here = Path.cwd().resolve()
        return cls(() if here in (Path("/"), Path.home().resolve()) else (str(here),))

    def confine(self, name: str, given: str) -> str:
        """Give the real path of what the argument `name` names; a relative one is below the first root."""
        if fault := path_fault(given):
            raise InvalidRequest(f"{name} {fault}", hint="Give a path on the host.")
        if not self._directories:
            raise PolicyDenied(
                f"{name}: this server has no host directory that callers may name", hint=_OPTION
            )
        try:
            found = Path(os.path.realpath(self._directories[0] / given))
        except OSError as error:  # a link that was one when it was looked at, and is none when it is read
            raise Conflict(
                f"{name} {given[:200]} changed while it was looked at", hint="Ask again."
            ) from error
        if not any(found.is_relative_to(root) for root in self._directories):
            allowed = " or ".join(map(str, self._directories))
            raise PolicyDenied(
                f"{name} {given[:200]} leads outside the directories that callers may name",
                hint=f"Choose a path below {allowed}. {_OPTION}",
            )
        return str(found)

    @property
    def told(self) -> str:
        """What a caller is to know of them before it names a path."""
        if not self._directories:
            return f"No path of the user's computer can be named to this server. {_OPTION}"
        allowed = " or ".join(map(str, self._directories))
        return (
            f"Paths of the user's computer (to seed from, to export to) lie below {allowed}; a relative one "
            f"begins at {self._directories[0]}."
        )

    def confined(self, parameters: Sequence[Parameter], arguments: Mapping[str, object]) -> dict[str, object]:
        """The arguments of a call, with every host path checked and made real."""
        marked = {parameter.name for parameter in parameters if parameter.argument.host_path}
        return {
            name: self._confined(name, value) if name in marked else value
            for name, value in arguments.items()
        }

    def _confined(self, name: str, value: object) -> object:
        if isinstance(value, Mapping):
            return {key: self._confined(f"{name}.{key}", item) for key, item in value.items()}
        return self.confine(name, value) if isinstance(value, str) else value
