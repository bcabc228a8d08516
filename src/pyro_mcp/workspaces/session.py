"""Use a workspace: find it, make sure its machine runs, and leave an event of what was done."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pyro_mcp.errors import Conflict, HostUnfit, LimitReached, NotFound, OutcomeUnknown, PyroError
from pyro_mcp.host.locks import exclusive
from pyro_mcp.host.paths import Paths, private_directory
from pyro_mcp.host.processes import ProcessIdentity, identify, is_alive, send_signal
from pyro_mcp.host.waiting import WaitedTooLong, wait_until
from pyro_mcp.keeper.places import clear_left_behind
from pyro_mcp.progress import remark
from pyro_mcp.redaction import Redactor
from pyro_mcp.workspaces.output_store import OutputStore
from pyro_mcp.workspaces.promises import Promises
from pyro_mcp.workspaces.registry import layers, machines, resources, secrets, workspaces
from pyro_mcp.workspaces.registry.database import Change, Registry
from pyro_mcp.workspaces.registry.makers import this_process
from pyro_mcp.workspaces.registry.reconcile import reconcile, remove_layers
from pyro_mcp.workspaces.registry.workspaces import WorkspaceRecord
from pyro_mcp.workspaces.secrets.store import SecretStore
from pyro_mcp.workspaces.sharing import leave_mark
from pyro_wire.messages import Message

# Needed once a machine is: `workspace list` is as quick as what it imports is little.
if TYPE_CHECKING:
    from pyro_mcp.environments.store import EnvironmentStore
    from pyro_mcp.environments.values import Environment
    from pyro_mcp.guest.channel import Channel, Controls, OnData, Source
    from pyro_mcp.qemu.process import LayerFile
    from pyro_mcp.workspaces import events
    from pyro_mcp.workspaces.machines import MachineShop, Size
    from pyro_mcp.workspaces.seeding.store import SeedStore

# Said where a machine is gone and its keeper did not live to say why.
_VANISHED = "its machine or its keeper was killed, or the host was restarted"


class Parts(Protocol):
    """What sessions need of the engine, each made when it is first asked for."""

    @property
    def environment_store(self) -> EnvironmentStore: ...

    @property
    def seeds(self) -> SeedStore: ...

    @property
    def shop(self) -> MachineShop: ...


def connect(socket: Path) -> Channel:
    """Open a connection to a keeper."""
    from pyro_mcp.guest.channel import Channel

    return Channel(socket)


class Session:
    """One workspace in use; its machine runs."""

    def __init__(
        self,
        record: WorkspaceRecord,
        socket: Path,
        resumed: str | None,
        outputs: OutputStore,
        redactor: Redactor,
    ) -> None:
        self.record = record
        self.resumed = resumed
        self.outputs = outputs
        self.redactor = redactor
        self._socket = socket
        self.data: dict[str, events.Json] = {}

    def note(self, **data: events.Json) -> None:
        """Add to what the history tells of this operation."""
        self.data.update(data)

    def channel(self) -> Channel:
        """Open a connection of its own, for many requests one after another."""
        return connect(self._socket)

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
        with connect(self._socket) as channel:
            return channel.ask(
                message, on_data=on_data, on_control=on_control, body=body, controls=controls, timeout=timeout
            )


class Sessions:
    """The way to all workspaces of one user."""

    def __init__(self, paths: Paths, registry: Registry, parts: Parts, promises: Promises) -> None:
        self.paths = paths
        self.registry = registry
        self.promises = promises
        self._parts = parts
        self._redactors: dict[str, Redactor] = {}

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
            with self.starting(record.id):
                self.stop(record, "its time was over")
                self.remove(record)

    def record(self, reference: str) -> WorkspaceRecord:
        """Give a workspace by id or name; raises NotFound with near names."""
        with self.registry.reading() as reading:
            return workspaces.get(reading, reference)

    def directory(self, workspace_id: str) -> Path:
        """Name the directory of a workspace's own files."""
        return self.paths.state / "workspaces" / workspace_id

    def record_directory(self, change: Change, workspace_id: str) -> None:
        """Record that directory before it is made: after a crash the next command removes it with its workspace."""
        resource = resources.plan(
            change,
            "directory",
            scope="workspace",
            owner=workspace_id,
            maker=this_process(),
            path=self.directory(workspace_id),
        )
        resources.made(change, resource)

    def outputs(self, workspace_id: str) -> OutputStore:
        """Give what the commands of a workspace wrote."""
        return OutputStore(self.directory(workspace_id) / "outputs")

    def secrets(self, workspace_id: str) -> SecretStore:
        """Give the values that a workspace's machine knows and nothing it says may tell."""
        return SecretStore(self.directory(workspace_id) / "secrets")

    def secret_values(self, workspace_id: str) -> dict[str, bytes]:
        """Read the values of a workspace's secrets, by name."""
        with self.registry.reading() as reading:
            names = secrets.names(reading, workspace_id)
        return self.secrets(workspace_id).values(names)

    def redactor(self, workspace_id: str) -> Redactor:
        """Give what takes a workspace's secrets out of texts; they never change while it lives."""
        if workspace_id not in self._redactors:
            self._redactors[workspace_id] = Redactor(self.secret_values(workspace_id))
        return self._redactors[workspace_id].fresh()

    @contextmanager
    def using(self, reference: str, kind: str, **data: events.Json) -> Iterator[Session]:
        """Use a workspace inside the block: its machine runs, and an event tells afterwards what came of it."""
        self.tidy()
        began = time.monotonic()
        record = self.record(reference)
        with self.registry.changing(durable=False) as change:
            workspaces.touch(change, record.id)
        socket, resumed = self.running(record)
        if resumed is not None:
            remark(resumed=True, resumed_reason=resumed)
        session = Session(record, socket, resumed, self.outputs(record.id), self.redactor(record.id))
        session.note(**data)
        try:
            yield session
        except BaseException as error:
            if isinstance(error, PyroError):
                error.rewrite(session.redactor.text)
            with suppress(LimitReached):  # no room to write it down: what went wrong is told all the same
                self.log(record.id, kind, began, session.data, outcome=_outcome(error))
                if isinstance(error, OutcomeUnknown):
                    self.tidy()
            raise
        self.log(record.id, kind, began, session.data)

    def log(
        self,
        workspace_id: str,
        kind: str,
        began: float,
        data: Mapping[str, events.Json],
        outcome: str = "done",
    ) -> None:
        """Append an event, without secrets; a workspace that is gone has no history any more."""
        from pyro_mcp.workspaces import events
        from pyro_mcp.workspaces.network_log import log_decisions

        duration = round((time.monotonic() - began) * 1000)
        with suppress(NotFound):
            redact = self.redactor(workspace_id).text
            with self.registry.changing(durable=False) as change:
                if workspaces.find(change, workspace_id) is not None:
                    log_decisions(change, workspace_id, self.directory(workspace_id))
                    events.append(
                        change,
                        workspace_id,
                        kind,
                        outcome=outcome,
                        duration_ms=duration,
                        data=data,
                        redact=redact,
                    )

    def log_network(self, workspace_id: str) -> None:
        """Bring what the keeper has decided up to now into the history."""
        from pyro_mcp.workspaces.network_log import log_decisions

        socket = self.socket(workspace_id)
        if socket is not None:
            with suppress(PyroError), connect(socket) as channel:
                channel.ask({"verb": "keeper.decisions"}, timeout=_STOP_SECONDS)
        with suppress(NotFound), self.registry.changing(durable=False) as change:
            log_decisions(change, workspace_id, self.directory(workspace_id))

    # -- machines -----------------------------------------------------------------------------------------------------

    def socket(self, workspace_id: str) -> Path | None:
        """Give the socket of a workspace's machine, None while it has none."""
        with self.registry.reading() as reading:
            machine = machines.of_workspace(reading, workspace_id)
        if machine is None or machine.keeper is None or not is_alive(machine.keeper):
            return None
        if not machine.runtime.exists():
            self._wait_for_end(machine.keeper)
            return None
        return machine.runtime

    def _wait_for_end(self, keeper: ProcessIdentity) -> None:
        """Let a keeper end that has closed its door already: until then it holds the disk."""
        with suppress(WaitedTooLong):
            wait_until(lambda: not is_alive(keeper), what="the last machine to end", timeout=_STOP_SECONDS)
        send_signal(keeper)

    def running(self, record: WorkspaceRecord) -> tuple[Path, str | None]:
        """Give the socket of the workspace's machine, started if need be, and why it had to be."""
        socket = self.socket(record.id)
        if socket is not None:
            self._insist(record)
            return socket, None
        if record.state in ("creating", "deleting"):
            raise Conflict(
                f"the workspace is {record.state}",
                hint="Wait until that has ended; `workspace status` tells.",
            )
        with self.starting(record.id):
            socket = self.socket(record.id)  # somebody else may have started it meanwhile, and asked for less
            if socket is not None:
                self._insist(record)
                return socket, None
            self.tidy()
            reason = self.why_stopped(record.id)
            return self.start(self.record(record.id)), reason

    def _insist(self, record: WorkspaceRecord) -> None:
        """Refuse a machine that was started behind weaker walls than this caller insists on."""
        with self.registry.reading() as reading:
            machine = machines.of_workspace(reading, record.id)
        wanted = (self.promises.isolation, self.promises.confinement)
        there = (machine.isolation, machine.confinement) if machine is not None else wanted
        if any(want is not None and want != have for want, have in zip(wanted, there, strict=True)):
            raise HostUnfit(
                f"the workspace runs with isolation {there[0]} and confinement {there[1]}, less than is required",
                hint="Stop it and ask again, or drop the requirement.",
            )

    @contextmanager
    def starting(self, workspace_id: str) -> Iterator[None]:
        """Hold the lock under which a workspace's machine is started, stopped or exchanged."""
        directory = private_directory(self.directory(workspace_id))
        with exclusive(directory / "machine.lock", what="another pyro that starts or stops this workspace"):
            yield

    def why_stopped(self, workspace_id: str) -> str:
        """Tell why a workspace's last machine ended, in the keeper's words where it had time for any."""
        try:
            return self._ended_file(workspace_id).read_text()[:500] or _VANISHED
        except OSError:
            return _VANISHED

    def start(self, record: WorkspaceRecord, *, untouched: bool = False) -> Path:
        """Start the machine of a workspace on its disk, under starting(); returns its socket."""
        from pyro_mcp.keeper.plan import Leash
        from pyro_mcp.keeper.ports import Port
        from pyro_mcp.qemu.process import LayerFile
        from pyro_mcp.workspaces.machines import WorkspaceDisk
        from pyro_mcp.workspaces.network import network_plan
        from pyro_mcp.workspaces.registry import services

        leave_mark(self.paths)  # also for workspaces that were made before there were marks
        environment = self.environment_of(record)
        self._ended_file(record.id).unlink(missing_ok=True)
        with self.registry.changing() as change:
            chain = layers.chain(change, record.top_layer) if record.top_layer else ()
            machines.claim(
                change,
                record.id,
                workspace_id=record.id,
                runtime=self.paths.runtime / f"{record.id}.sock",
                maker=this_process(),
            )
            published = services.publish_again(change, record.id, this_process())
        disk = WorkspaceDisk(
            workspace_id=record.id,
            hostname=(record.name or record.id)[:63],
            size=size_of(record),
            layers=tuple(LayerFile(layer.path, "qcow2") for layer in chain),
            seed=self.seed_of(record),
            untouched=untouched,
            secrets=self.secret_values(record.id),
            published=tuple(
                Port(port.address, port.host_port, port.guest_port, service) for service, port in published
            ),
        )
        leash = Leash(
            with_client=False,
            idle_stop_seconds=record.idle_stop_seconds,
            ended=str(self._ended_file(record.id)),
        )
        try:
            started = self.shop.start(
                disk,
                environment,
                self.promises,
                leash,
                network_plan(record.network, self.directory(record.id)),
            )
        except BaseException:
            with self.registry.changing() as change:
                machines.forget(change, record.id)
            raise
        keeper = identify(started.keeper.process.pid)
        machine = started.machine
        with self.registry.changing() as change:
            if keeper is not None:
                machines.started(
                    change, record.id, keeper, isolation=machine.isolation, confinement=machine.confinement
                )
            workspaces.set_state(change, record.id, "running")
        started.keeper.detach()
        return machine.socket

    def stop(self, record: WorkspaceRecord, reason: str, *, discard: bool = False) -> bool:
        """End the machine of a workspace, under starting(); False when it had none.

        Its disk is left clean, unless nobody wants what is on it (`discard`): that costs nothing then, however much waits
        to be written. What was acknowledged is on the disk in either case, should the rest of a reset never come.
        """
        socket = self.socket(record.id)
        with self.registry.reading() as reading:
            machine = machines.of_workspace(reading, record.id)
        if socket is not None and machine is not None and machine.keeper is not None:
            keeper = machine.keeper
            with suppress(PyroError), connect(socket) as channel:
                request = {"verb": "keeper.stop", "reason": reason, "discard": discard}
                channel.ask(request, timeout=_STOP_SECONDS)
            with suppress(WaitedTooLong):
                wait_until(lambda: not is_alive(keeper), what="the machine to end", timeout=_STOP_SECONDS)
            send_signal(keeper)  # one that does not end is ended; QEMU dies with it
        clear_left_behind(self.paths)
        with self.registry.changing() as change:
            machines.forget(change, record.id)
            workspaces.set_state(change, record.id, "stopped", reason=reason)
        return socket is not None

    def tell_idle(self, workspace_id: str, seconds: int | None) -> None:
        """Let a running machine know of another idle time."""
        socket = self.socket(workspace_id)
        if socket is not None and seconds is not None:
            with suppress(PyroError), connect(socket) as channel:
                channel.ask({"verb": "keeper.idle", "seconds": seconds}, timeout=_STOP_SECONDS)

    def remove(self, record: WorkspaceRecord) -> None:
        """Take a workspace off the record first, then its files: a crash in between leaves only what tidy() removes."""
        with self.registry.changing() as change:
            workspaces.remove(change, record.id)
        self.free_layers()
        shutil.rmtree(self.directory(record.id), ignore_errors=True)
        reconcile(self.registry, self.paths)

    def environment_of(self, record: WorkspaceRecord) -> Environment:
        """Give the environment that a workspace was made with, even if its recipe has moved on since."""
        from pyro_mcp.environments.values import Environment, EnvironmentDefaults

        found = self.environments.find(record.environment)
        if found is not None and found.digest == record.environment_digest:
            return found
        image = self.environments.image(record.environment_digest)
        if image is None:
            raise NotFound(
                f"the image of {record.environment} that this workspace stands on is gone",
                hint="`pyro env pull` brings the environment of today; this workspace's own files can be exported",
            )
        defaults = found.defaults if found is not None else EnvironmentDefaults(workdir="/workspace")
        return Environment(record.environment, record.environment_digest, image, defaults)

    def new_layer(self, record: WorkspaceRecord) -> layers.PlannedLayer:
        """Make the file of another layer for a workspace's disk, recorded before it is there."""
        directory = private_directory(self.paths.state / "layers")
        with self.registry.changing() as change:
            planned = layers.plan(
                change, directory, size_mib=record.disk_mib, owner=record.id, maker=this_process()
            )
        with resources.dooming(self.registry, planned.resource):
            self.shop.new_layer(planned.path, size_of(record))
        return planned

    def free_layers(self) -> None:
        """Remove the layers that nothing stands on any more."""
        with self.registry.changing() as change:
            doomed = layers.free_unreferenced(change)
        remove_layers(self.registry, doomed)

    def seed_of(self, record: WorkspaceRecord) -> LayerFile | None:
        """Give the seed that a workspace stands on; None for one that began empty."""
        from pyro_mcp.qemu.process import LayerFile

        if record.seed_digest is None:
            return None
        image = self.seeds.find(record.seed_digest)
        if image is None:
            raise NotFound(
                "the seed that this workspace stands on is gone from the cache",
                hint="Delete the workspace and create it again from its source.",
            )
        return LayerFile(image)

    def _ended_file(self, workspace_id: str) -> Path:
        return self.directory(workspace_id) / "ended"


# Unmounting a disk with much to write back takes seconds.
_STOP_SECONDS = 30.0


def size_of(record: WorkspaceRecord) -> Size:
    """Give the size of a workspace's machine."""
    from pyro_mcp.workspaces.machines import Size

    return Size(record.vcpu_count, record.mem_mib, record.disk_mib)


def _outcome(error: BaseException) -> str:
    return error.code if isinstance(error, PyroError) else "interrupted"
