"""Requests that a worker carries out (workers/processes.py): the agent's loop only passes on what comes and goes."""

from __future__ import annotations

from pyro_agent.requests.request import Request
from pyro_agent.workers.processes import Worker
from pyro_wire.faults import Fault, FaultError
from pyro_wire.messages import Message
from pyro_wire.mux import DATA_PIECE


class Work(Request):
    """A verb that a worker carries out."""

    worker: Worker | None = None
    # Whether it may be ended at any instant.
    killable = True

    def start(self, message: Message) -> None:
        """Hand it over."""
        if self.machine.root is None:
            raise FaultError("conflict", "this machine has no disk yet", hint="attach one first")
        self.message = message
        self._early: list[bytes | None] = []
        self.machine.workers.employ(self)

    def on_data(self, payload: bytes) -> None:
        """Pass the body on."""
        if self.worker is None:
            self._early.append(payload)
        else:
            self._pass_early_on()
            self.worker.data(payload)

    def on_ended(self) -> None:
        """Pass the body's end on."""
        if self.worker is None:
            self._early.append(None)
        else:
            self._pass_early_on()
            self.worker.end()

    def on_turn(self) -> None:
        """Listen to the worker exactly while the host takes what it says."""
        if self.worker is not None:
            self._pass_early_on()
            self.worker.listen(self.room >= DATA_PIECE)

    def on_cancel(self) -> None:
        """Stop; what changes files is only asked to, and answers what came of it."""
        if self.killable or self.worker is None:
            self.fail(Fault("conflict", "it was cancelled"))
        else:
            self.worker.give_up()

    def conclude(self, result: Message | Fault) -> None:
        """Pass the worker's last word on."""
        if isinstance(result, Fault):
            self.fail(result)
        else:
            self.answer(result)

    def release(self) -> None:
        """Leave a worker that is not done to its fate."""
        worker, self.worker = self.worker, None
        if worker is None:
            return
        if self.killable:
            worker.kill()
        else:
            worker.give_up()
            worker.let_go()

    def _pass_early_on(self) -> None:
        assert self.worker is not None
        early, self._early = self._early, []
        for payload in early:
            if payload is None:
                self.worker.end()
            else:
                self.worker.data(payload)
