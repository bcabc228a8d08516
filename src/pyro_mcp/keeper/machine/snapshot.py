"""Freeze what a running machine has written so far under a new layer, in some tens of milliseconds.

The guest's filesystem is frozen, QEMU goes on in the new layer, the guest is thawed. The layer's file was made by whoever
asks: a confined QEMU can create none, so it gets a descriptor.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable
from contextlib import suppress

from pyro_mcp.errors import PyroError
from pyro_mcp.guest.faults import fault_from
from pyro_mcp.keeper.lines.switchboard import Client, Switchboard
from pyro_mcp.qemu.process import Qemu
from pyro_wire import events, messages
from pyro_wire.faults import Fault
from pyro_wire.messages import Message, MessageError

# QEMU's part takes 3 ms; a host disk that stalls may hold it up, and with it the loop.
_QMP_SECONDS = 10.0
# Above the sets that the command line uses.
_FIRST_FDSET = 100_000


class Snapshots:
    """The verb `keeper.snapshot` {layer: path}: go on in that layer."""

    def __init__(self, board: Switchboard, qemu: Qemu) -> None:
        self._board = board
        self._qemu = qemu
        self._top = "disk"
        self._numbers = itertools.count(1)
        self._working = False

    def take(self, client: Client, stream: int, message: Message) -> None:
        """Serve the verb; one at a time."""
        try:
            layer = messages.text(message, "layer")
        except MessageError as error:
            client.answer(stream, Fault("invalid_request", str(error)))
            return
        if self._working:
            client.answer(
                stream, Fault("conflict", "another snapshot is just being taken", None, "ask again")
            )
            return
        self._working = True
        self._ask("freeze", lambda fault: self._frozen(client, stream, layer, fault))

    def _frozen(self, client: Client, stream: int, layer: str, fault: Fault | None) -> None:
        began = time.monotonic()
        if fault is None:
            fault = self._switch(layer)
        frozen_ms = round((time.monotonic() - began) * 1000, 1)

        def thawed(late: Fault | None) -> None:
            self._working = False
            problem = fault or late
            client.answer(stream, problem if problem is not None else {"frozen_ms": frozen_ms})

        self._ask("thaw", thawed)

    def _switch(self, layer: str) -> Fault | None:
        number = next(self._numbers)
        node, fdset = f"disk-after-{number}", _FIRST_FDSET + number
        deadline = time.monotonic() + _QMP_SECONDS
        try:
            descriptor = os.open(layer, os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            return Fault("host_unfit", "the new layer cannot be opened", str(error))
        monitor = self._qemu.monitor
        try:
            monitor.execute("add-fd", deadline=deadline, descriptor=descriptor, fdset_id=fdset)
            monitor.execute(
                "blockdev-add",
                deadline=deadline,
                driver="qcow2",
                node_name=node,
                backing=None,
                discard="unmap",
                detect_zeroes="unmap",
                file={
                    "driver": "file",
                    "filename": f"/dev/fdset/{fdset}",
                    "locking": "on",
                    "discard": "unmap",
                },
            )
            monitor.execute("blockdev-snapshot", deadline=deadline, node=self._top, overlay=node)
        except PyroError as error:
            self._take_back(node, fdset)
            return fault_from(error)
        finally:
            os.close(descriptor)
        self._top = node
        return None

    def _take_back(self, node: str, fdset: int) -> None:
        """Let QEMU hold nothing of a layer that it does not write: whoever made it removes it."""
        deadline = time.monotonic() + _QMP_SECONDS
        with suppress(PyroError):  # it was not added yet
            self._qemu.monitor.execute("blockdev-del", deadline=deadline, node_name=node)
        with suppress(PyroError):  # it went with the node
            self._qemu.monitor.execute("remove-fd", deadline=deadline, fdset_id=fdset)

    def _ask(self, verb: str, then: Callable[[Fault | None], None]) -> None:
        def happened(event: events.Event) -> None:
            if isinstance(event, events.Answered):
                then(None)
            elif isinstance(event, events.Failed):
                then(event.fault)

        asked = self._board.ask_agent({"verb": verb}, happened, own=True)
        if isinstance(asked, Fault):
            then(asked)
