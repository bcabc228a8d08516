"""What all nouns of one client share."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyro_mcp.models.arguments import RequiredConfinement, RequiredIsolation
from pyro_mcp.operations.engine import Engine

if TYPE_CHECKING:
    from pyro_mcp.workspaces.exec import Told
    from pyro_mcp.workspaces.session import Sessions

Confine = Callable[[str, str], str]


@dataclass(frozen=True)
class Scope:
    """A client's engine, made when it is first needed, and its settings.

    `output_limit`: bytes kept of each stream. `confine` checks a path of the host that a caller did not name but causes to
    be used: given its argument's name and the path, it gives the path or raises PolicyDenied. `told`: how much of the output of
    a command that goes on its caller has had, by its id; None where every answer holds all.
    `narrow`: the caller is not offered everything, and reads of nothing beyond.
    """

    engine: Callable[[], Engine]
    isolation: RequiredIsolation = None
    confinement: RequiredConfinement = None
    output_limit: int | None = None
    confine: Confine | None = None
    told: MutableMapping[str, Told] | None = None
    narrow: bool = False


class Noun:
    """Operations on one kind of thing."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    @property
    def _sessions(self) -> Sessions:
        return self._scope.engine().sessions
