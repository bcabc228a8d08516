"""Use a workspace: find it, make sure its machine runs, and leave an event of what was done."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pyro_mcp.errors import Conflict, LimitReached, OutcomeUnknown, PyroError
from pyro_mcp.host.paths import Paths
from pyro_mcp.keeper.machine.places import clear_left_behind
from pyro_mcp.progress import remark
from pyro_mcp.redaction import Redactor, without_secrets
from pyro_mcp.workspaces.history.writing import History
from pyro_mcp.workspaces.machines.grounds import Grounds, Parts
from pyro_mcp.workspaces.machines.promises import Promises
from pyro_mcp.workspaces.machines.running import Machines, connect
from pyro_mcp.workspaces.machines.starting import Starter
from pyro_mcp.workspaces.registry import workspaces
from pyro_mcp.workspaces.registry.database import Registry
from pyro_mcp.workspaces.registry.reconcile import reconcile
from pyro_mcp.workspaces.registry.workspaces import WorkspaceRecord
from pyro_mcp.workspaces.secrets.known import KnownSecrets
from pyro_mcp.workspaces.storage.directories import Directories
from pyro_wire.messages import Message

# Needed once a machine is: `workspace list` is as quick as what it imports is little.
if TYPE_CHECKING:
    from pyro_mcp.environments.store import EnvironmentStore
    from pyro_mcp.guest.channel import Channel, Controls, OnData, Source
    from pyro_mcp.workspaces.history import events
    from pyro_mcp.workspaces.machines.shop import MachineShop
    from pyro_mcp.workspaces.outputs.store import OutputStore
    from pyro_mcp.workspaces.seeding.store import SeedStore

Answer = TypeVar("Answer")


Met = TypeVar("Met")


class Session:
    """One workspace in use; its machine runs."""

    def __init__(
        self,
        record: WorkspaceRecord,
        socket: Path,
        resumed: str | None,
        outputs: OutputStore,
        redactor: Redactor,
        start_again: Callable[[], Path] | None = None,
    ) -> None:
        self.record = record
        self.resumed = resumed
        self.outputs = outputs
        self.redactor = redactor
        self._socket = socket
        self._keeper: int | None = None
        self._start_again = start_again
        self.data: dict[str, events.Json] = {}

    def note(self, **data: events.Json) -> None:
        """Add to what the history tells of this operation."""
        self.data.update(data)

    def shown(self, answer: Answer) -> Answer:
        """Give an answer without secrets: guests name their files as they like."""
        return without_secrets(answer, self.redactor)

    def channel(self) -> Channel:
        """Open a connection of its own, for many requests one after another."""
        return self._met(self._connected)

    def ask(
        self,
        message: Message,
        *,
        on_data: OnData | None = None,
        on_control: Callable[[Message], None] | None = None,
        body: bytes | Source | None = None,
        controls: Controls | None = None,
        timeout: float | None = None,
    ) -> Message:
        """Ask the agent, or with a `keeper.` verb the keeper, one thing on a connection of its own."""

        def asked() -> Message:
            with self._connected() as channel:
                return channel.ask(
                    message,
                    on_data=on_data,
                    on_control=on_control,
                    body=body,
                    controls=controls,
                    timeout=timeout,
                )

        return self._met(asked)

    def _connected(self) -> Channel:
        """Connect to the keeper that was met first: what another machine holds is not what this operation has seen."""
        from pyro_mcp.guest.channel import NotRunning

        channel = connect(self._socket)
        if self._keeper not in (None, channel.keeper):
            channel.close()
            raise NotRunning("it was stopped, reset or started anew in the middle of this operation")
        self._keeper = channel.keeper
        return channel

    def _met(self, meet: Callable[[], Met]) -> Met:
        """Meet the keeper. One that was found and has ended before we met gives way to the next machine.

        Only then: whatever stops the machine later stops what is under way.
        """
        from pyro_mcp.guest.channel import NotRunning

        start_again, self._start_again = self._start_again, None
        try:
            return meet()
        except NotRunning:
            if start_again is None:
                raise
            self._socket, self._keeper = start_again(), None
            return meet()


class Sessions:
    """The way to all workspaces of one user, and to what each has: see the modules named here."""

    def __init__(self, paths: Paths, registry: Registry, parts: Parts, promises: Promises) -> None:
        self.paths = paths
        self.registry = registry
        self.promises = promises
        self._parts = parts
        self.directories = Directories(paths)
        self.secrets = KnownSecrets(registry, self.directories)
        self.grounds = Grounds(paths, registry, parts)
        self.machines = Machines(paths, registry, self.directories, promises)
        self.starter = Starter(paths, registry, self.directories, self.grounds, self.secrets, parts, promises)
        self.history = History(registry, self.directories, self.secrets, self.machines)

    @property
    def environments(self) -> EnvironmentStore:
        """The environments of this user."""
        return self._parts.environment_store

    @property
    def seeds(self) -> SeedStore:
        """The seeds of this user."""
        return self._parts.seeds

    @property
    def shop(self) -> MachineShop:
        """What makes machines."""
        return self._parts.shop

    def tidy(self) -> None:
        """Put right what crashes left behind, and delete what has outlived its time; costs two queries and a listing."""
        reconcile(self.registry, self.paths)
        clear_left_behind(self.paths)
        with self.registry.reading() as reading:
            expired = [workspaces.get(reading, workspace_id) for workspace_id in workspaces.expired(reading)]
        for record in expired:
            with self.machines.lock(record.id):
                self.machines.stop(record, "its time was over")
                self.remove(record)

    def record(self, reference: str) -> WorkspaceRecord:
        """Give a workspace by id or name; raises NotFound with near names."""
        with self.registry.reading() as reading:
            return workspaces.get(reading, reference)

    @contextmanager
    def using(self, reference: str, kind: str, **data: events.Json) -> Iterator[Session]:
        """Use a workspace inside the block: its machine runs, and an event tells afterwards what came of it."""
        self.tidy()
        began = time.monotonic()
        record = self.record(reference)
        with self.registry.changing(durable=False) as change:
            workspaces.touch(change, record.id)
        socket, resumed = self._running(record)

        def start_again() -> Path:
            socket, session.resumed = self._running(self.record(record.id))
            return socket

        session = self.session(record, socket, resumed, start_again)
        session.note(**data)
        try:
            yield session
        except BaseException as error:
            if isinstance(error, PyroError):
                error.rewrite(session.redactor.text)
            with suppress(LimitReached):  # no room to write it down: what went wrong is told all the same
                self.history.log(record.id, kind, began, session.data, outcome=_outcome(error))
                if isinstance(error, OutcomeUnknown):
                    self.tidy()
            raise
        self.history.log(record.id, kind, began, session.data)

    def session(
        self,
        record: WorkspaceRecord,
        socket: Path,
        resumed: str | None = None,
        start_again: Callable[[], Path] | None = None,
    ) -> Session:
        """Give the session of a machine that runs; `start_again` is for one that ends before it is asked anything."""
        outputs = self.directories.outputs(record.id)
        return Session(record, socket, resumed, outputs, self.secrets.redactor(record.id), start_again)

    def _running(self, record: WorkspaceRecord) -> tuple[Path, str | None]:
        """Give the socket of the workspace's machine, started if need be, and why it had to be."""
        socket = self.machines.socket(record.id)
        if socket is not None:
            self.machines.insist(record.id)
            return socket, None
        if record.state in ("creating", "deleting"):
            raise Conflict(
                f"the workspace is {record.state}",
                hint="Wait until that has ended; `<<workspace_status>>` tells.",
            )
        with self.machines.lock(record.id):
            socket = self.machines.socket(record.id)
            if socket is not None:  # somebody else has started it meanwhile, and may have asked for less
                self.machines.insist(record.id)
                return socket, None
            self.tidy()
            reason = self.machines.why_stopped(record.id)
            socket = self.starter.start(self.record(record.id))
            remark(resumed=True, resumed_reason=reason)
            return socket, reason

    def remove(self, record: WorkspaceRecord) -> None:
        """Take a workspace off the record first, then its files: a crash in between leaves only what tidy() removes."""
        with self.registry.changing() as change:
            workspaces.remove(change, record.id)
        self.grounds.free_layers()
        self.directories.remove(record.id)
        reconcile(self.registry, self.paths)


def _outcome(error: BaseException) -> str:
    return error.code if isinstance(error, PyroError) else "interrupted"
