"""Verbs `ping`, `sync`, `freeze`, `thaw` and `detach`: small questions about the machine and its disk."""

from __future__ import annotations

import os
import time

from pyro_agent.requests.request import Request
from pyro_agent.workers import helper
from pyro_agent.workers.helper import Reply
from pyro_wire.faults import FaultError
from pyro_wire.messages import Message


class Ping(Request):
    """Show that the agent lives."""

    def start(self, message: Message) -> None:
        """Answer with the guest's clocks and what runs."""
        self.answer(
            {
                "uptime_ms": round(time.monotonic() * 1000),
                "clock_ns": time.time_ns(),
                "attached": self.machine.root is not None,
                "commands": self.machine.commands,
            }
        )


class _DiskVerb(Request):
    question: bytes

    def start(self, message: Message) -> None:
        """Have the helper do it: it may take seconds, and other streams go on meanwhile."""
        if self.machine.root is None:
            raise FaultError("conflict", "this machine has no disk yet", hint="attach one first")
        if not self.machine.disk:
            self.answer({"ms": 0.0, "expired": False})  # a disk in memory: nothing can outlast the machine
            return
        self.machine.helper.ask(self.question, lambda reply: self.guarded(lambda: self._on_reply(reply)))

    def _on_reply(self, reply: Reply) -> None:
        if reply.error:
            raise FaultError("guest_failed", f"the disk refused: {os.strerror(reply.error)}")
        self.answer({"ms": reply.ms, "expired": reply.expired})


class Settle(Request):
    """Wait until nothing is under way: commands buried, runners ready again, the disk written. Freeze it then."""

    _asked = False

    def start(self, message: Message) -> None:
        """Begin to wait; `on_turn` sees when it is over."""

    def on_turn(self) -> None:
        """Write the disk out once everything else is quiet."""
        if self._asked or not self.machine.settled:
            return
        self._asked = True
        if self.machine.disk:
            self.machine.helper.ask(helper.SYNC, lambda reply: self.guarded(lambda: self._on_written(reply)))
        else:
            self.answer({"ms": 0.0})

    def _on_written(self, reply: Reply) -> None:
        self.answer({"ms": reply.ms})


class Sync(_DiskVerb):
    """Write everything to the disk."""

    question = helper.SYNC


class Freeze(_DiskVerb):
    """Write everything to the disk and let nothing more reach it, for a snapshot."""

    question = helper.FREEZE


class Detach(_DiskVerb):
    """Leave the disk whole, its journal empty, before the machine is ended: frozen for good.

    Unmounting would need every process gone that has a file open; to the next start there is no difference.
    """

    question = helper.DETACH


class Thaw(_DiskVerb):
    """End a freeze; `expired` tells that it had already ended by itself, so that the snapshot is not whole."""

    question = helper.THAW
