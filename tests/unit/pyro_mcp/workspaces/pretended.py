"""A workspace that is only on record, and machines that are only said to run: for what is decided before one is made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import cast

from pyro_mcp.workspaces.engine import Engine
from pyro_mcp.workspaces.machines.promises import Promises
from pyro_mcp.workspaces.machines.shop import MachineShop
from pyro_mcp.workspaces.registry import machines, secrets, workspaces
from pyro_mcp.workspaces.registry.makers import this_process
from pyro_mcp.workspaces.registry.names import new_id
from pyro_mcp.workspaces.registry.workspaces import NewWorkspace, WorkspaceRecord
from pyro_mcp.workspaces.session import Sessions


@dataclass
class FailingShop:
    """Makes no machine: says why, and remembers what it was asked."""

    asked: list[object] = field(default_factory=list)
    error: Exception = field(default_factory=lambda: RuntimeError("no machine today"))

    def start(self, *asked: object) -> None:
        self.asked.extend(asked)
        raise self.error


@dataclass(frozen=True)
class Pretended:
    """One workspace on record, and the way to it."""

    sessions: Sessions
    id: str

    @property
    def record(self) -> WorkspaceRecord:
        return self.sessions.record(self.id)

    def runs(self, *, isolation: str = "emulated", confinement: str = "full") -> None:
        """Record a machine whose keeper is this very process, and whose socket is a plain file."""
        socket = self.sessions.paths.runtime / f"{self.id}.sock"
        socket.parent.mkdir(parents=True, exist_ok=True)
        socket.touch()
        me = this_process()
        with self.sessions.registry.changing() as change:
            machines.claim(change, self.id, workspace_id=self.id, runtime=socket, maker=me)
            machines.started(change, self.id, me.process, isolation=isolation, confinement=confinement)
            workspaces.set_state(change, self.id, "running")

    def stops(self) -> None:
        """Take that machine off the record."""
        with self.sessions.registry.changing() as change:
            machines.forget(change, self.id)
            workspaces.set_state(change, self.id, "stopped")


@contextmanager
def pretended(
    *,
    given: dict[str, bytes] | None = None,
    promises: Promises | None = None,
    shop: FailingShop | None = None,
) -> Iterator[Pretended]:
    """Put a workspace on record, stopped."""
    engine = Engine(promises=promises)
    if shop is not None:
        engine.shop = cast(MachineShop, shop)
    sessions = engine.sessions
    new = NewWorkspace(id=new_id("ws"), environment="debian:12", environment_digest="d" * 64)
    with sessions.registry.changing() as change:
        workspaces.add(change, new, this_process())
        secrets.add(change, new.id, given or {})
        workspaces.set_state(change, new.id, "stopped")
    sessions.secrets.put(new.id, given or {})
    try:
        yield Pretended(sessions, new.id)
    finally:
        sessions.registry.close()
