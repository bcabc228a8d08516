"""The machines of workspaces, one at most for each: whether one runs, what is said to it, and how it is stopped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pyro_mcp.errors import HostUnfit, PyroError
from pyro_mcp.host.locks import exclusive
from pyro_mcp.host.paths import Paths, private_directory
from pyro_mcp.host.processes import ProcessIdentity, has_ended, is_alive, send_signal
from pyro_mcp.keeper.machine.places import clear_left_behind
from pyro_mcp.workspaces.machines.promises import Promises
from pyro_mcp.workspaces.registry import machines, workspaces
from pyro_mcp.workspaces.registry.database import Registry
from pyro_mcp.workspaces.registry.machines import MachineRecord
from pyro_mcp.workspaces.registry.workspaces import WorkspaceRecord
from pyro_mcp.workspaces.storage.directories import Directories
from pyro_wire.messages import Message

# Needed once a machine is: `workspace list` is as quick as what it imports is little.
if TYPE_CHECKING:
    from pyro_mcp.guest.channel import Channel

# Unmounting a disk with much to write back takes seconds.
_STOP_SECONDS = 30.0
# Said where a machine is gone and its keeper did not live to say why.
_VANISHED = "its machine or its keeper was killed, or the host was restarted"


def connect(socket: Path) -> Channel:
    """Open a connection to a keeper."""
    from pyro_mcp.guest.channel import Channel

    return Channel(socket)


class Machines:
    """The machines that run for the workspaces of one user."""

    def __init__(
        self,
        paths: Paths,
        registry: Registry,
        directories: Directories,
        promises: Promises,
    ) -> None:
        self._paths = paths
        self._registry = registry
        self._directories = directories
        self._promises = promises

    def socket(self, workspace_id: str) -> Path | None:
        """Give the socket of a workspace's machine, None while it has none."""
        machine = self._recorded(workspace_id)
        if machine is None or machine.keeper is None or not is_alive(machine.keeper):
            return None
        if not machine.runtime.exists():  # a keeper that has closed its door holds the disk until it ends
            self._end(machine.keeper)
            return None
        return machine.runtime

    def tell(self, workspace_id: str, message: Message, *, timeout: float = _STOP_SECONDS) -> Message | None:
        """Say something to a workspace's keeper; None where there is none, or one that is just ending."""
        socket = self.socket(workspace_id)
        if socket is not None:
            with suppress(PyroError), connect(socket) as channel:
                return channel.ask(message, timeout=timeout)
        return None

    def insist(self, workspace_id: str) -> None:
        """Refuse a machine that was started behind weaker walls than this caller insists on."""
        machine = self._recorded(workspace_id)
        wanted = (self._promises.isolation, self._promises.confinement)
        there = (machine.isolation, machine.confinement) if machine is not None else wanted
        if any(want is not None and want != have for want, have in zip(wanted, there, strict=True)):
            raise HostUnfit(
                f"the workspace runs with isolation {there[0]} and confinement {there[1]}, less than is required",
                hint="Stop it and ask again, or drop the requirement.",
            )

    def why_stopped(self, workspace_id: str) -> str:
        """Tell why a workspace's last machine ended, in the keeper's words where it had time for any."""
        try:
            return self._directories.ended_file(workspace_id).read_text()[:500] or _VANISHED
        except OSError:
            return _VANISHED

    @contextmanager
    def lock(self, workspace_id: str) -> Iterator[None]:
        """Hold the lock under which a workspace's machine is started, stopped or exchanged."""
        directory = private_directory(self._directories.of(workspace_id))
        with exclusive(directory / "machine.lock", what="another pyro that starts or stops this workspace"):
            yield

    def stop(self, record: WorkspaceRecord, reason: str, *, discard: bool = False) -> bool:
        """End the machine of a workspace, under lock(); False when it had none.

        Its disk is left clean, unless nobody wants what is on it (`discard`): that costs nothing then, however much waits
        to be written. What was acknowledged is on the disk in either case, should the rest of a reset never come.
        """
        ran = self.socket(record.id) is not None
        machine = self._recorded(record.id)
        if ran and machine is not None and machine.keeper is not None:
            self.tell(record.id, {"verb": "keeper.stop", "reason": reason, "discard": discard})
            self._end(machine.keeper)
        clear_left_behind(self._paths)
        with self._registry.changing() as change:
            machines.forget(change, record.id)
            workspaces.set_state(change, record.id, "stopped", reason=reason)
        return ran

    def _end(self, keeper: ProcessIdentity) -> None:
        """Let a keeper end by itself; one that does not is ended, and QEMU dies with it."""
        if not has_ended(keeper, _STOP_SECONDS):
            send_signal(keeper)

    def _recorded(self, workspace_id: str) -> MachineRecord | None:
        with self._registry.reading() as reading:
            return machines.of_workspace(reading, workspace_id)
