"""One service from its start to its end: its command, its log, when it is ready, and what is known of how it ended.

`state.json` in its directory says the same, for the time when this keeper is gone. A state in which something runs
(`starting`, `running`) is true only as long as a keeper says so itself.
"""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pyro_mcp.guest.faults import redacted_fault
from pyro_mcp.host.writing import write_whole
from pyro_mcp.keeper.lines.loop import Loop
from pyro_mcp.keeper.lines.switchboard import Switchboard
from pyro_mcp.keeper.ports.port import Port
from pyro_mcp.keeper.services.log import ServiceLog
from pyro_mcp.keeper.services.readiness import Ask, Look, Seen
from pyro_mcp.redaction import Redactor
from pyro_wire import events, messages
from pyro_wire.faults import Fault
from pyro_wire.messages import Message

STATE_FILE = "state.json"
# From TERM to KILL: what a container gets elsewhere, so what servers are made for.
STOP_SECONDS = 10.0
# One that was not ready in time has had its chance.
_GIVE_UP_SECONDS = 2.0
_TAIL_BYTES = 2000
_RUNS = ("starting", "running")


@dataclass(frozen=True, slots=True)
class ServicePlan:
    """What is to be started, and how it is seen to be ready."""

    service: str
    run_id: str
    directory: Path
    request: Message
    ask: Ask | None
    ready_seconds: float
    interval: float
    ports: tuple[Port, ...]


class Service:
    """A service; `on_settled` is called when it is ready, and when it has ended or could not be started."""

    def __init__(
        self,
        loop: Loop,
        board: Switchboard,
        plan: ServicePlan,
        redactor: Redactor,
        on_settled: Callable[[Service], None],
    ) -> None:
        self.plan = plan
        self.state = "starting"
        self.fault: Fault | None = None  # why it could not be started at all
        self._loop = loop
        self._board = board
        self._redactors = {number: redactor.fresh() for number in (1, 2)}
        self._on_settled = on_settled
        plan.directory.mkdir(mode=0o700, parents=True)
        self._log = ServiceLog(plan.directory)
        self._facts: dict[str, object] = {"reason": None, "exit_code": None, "signal": None, "oom": False}
        self._look: Look | None = None
        self._stream = -1
        self._words = "it was not looked at"
        self._ending: tuple[str, str] | None = None  # the state it is to be given once it has ended, and why
        try:
            self._keep()
        except OSError:
            self._log.close()
            raise

    @property
    def runs(self) -> bool:
        return self.state in _RUNS

    def told(self) -> Message:
        """Give what is known of it."""
        return {"run_id": self.plan.run_id, "state": self.state, "log_bytes": self._log.size, **self._facts}

    def tail(self) -> str:
        """Give the last lines it wrote."""
        return self._log.tail(_TAIL_BYTES).decode(errors="replace")

    def begin(self) -> None:
        """See how things are without it, then start it."""
        self._loop.after(self.plan.ready_seconds, self._too_late)
        if self.plan.ask is None or self.plan.ask.after_only:
            self._start()
        else:
            self._look = Look(self._loop, self._board, self.plan.ask, self._looked_before)

    def stop(self, reason: str, seconds: float | None = None, *, state: str = "stopped") -> None:
        """Tell all of it to end (TERM), and kill what is left of it after `seconds`, of which there are 10 without."""
        if self._ending is not None or not self.runs:
            return
        self._ending = (state, reason)
        mux = self._board.agent.mux
        if self._stream not in mux:
            self._end(state, reason)
            return
        mux.control(self._stream, {"signal": "TERM", "everything": True})
        self._board.agent.update()
        self._loop.after(STOP_SECONDS if seconds is None else seconds, self._kill)

    def machine_ended(self, reason: str) -> None:
        """Nothing runs in a machine that is over."""
        if self.runs:
            self._end("stopped", f"the machine ended: {reason}")

    # -- its start ----------------------------------------------------------------------------------------------------

    def _looked_before(self, seen: Seen) -> None:
        if not self.runs:
            return
        if seen.ready:
            hint = "End what is there first, or let the service use something else."
            self._refuse(
                Fault("conflict", f"{seen.words} already, before the service is started", None, hint)
            )
        else:
            self._start()

    def _start(self) -> None:
        asked = self._board.ask_agent({**self.plan.request, "verb": "exec", "stdin": False}, self._from_agent)
        if isinstance(asked, Fault):
            self._refuse(asked)
            return
        self._stream = asked
        self._look_again()

    def _look_again(self) -> None:
        """Look now; without a way to look, it is ready when it still runs after one interval."""
        if self.state != "starting" or self._ending is not None:
            return
        if self.plan.ask is None:
            self._loop.after(self.plan.interval, self._ready)
        else:
            self._look = Look(self._loop, self._board, self.plan.ask, self._looked)

    def _looked(self, seen: Seen) -> None:
        self._words = self._redactors[1].text(seen.words)
        if seen.ready:
            self._ready()
        else:
            self._loop.after(self.plan.interval, self._look_again)

    def _ready(self) -> None:
        if self.state == "starting" and self._ending is None:
            self._facts["ready_at"] = _now_ms()
            self._settle("running")

    def _too_late(self) -> None:
        if self.state == "starting" and self._ending is None:
            self._facts["late"] = True
            self.stop(
                f"it was not ready within {self.plan.ready_seconds:g} s: {self._words}",
                _GIVE_UP_SECONDS,
                state="failed",
            )

    # -- its life and end ---------------------------------------------------------------------------------------------

    def _from_agent(self, event: events.Event) -> None:
        if isinstance(event, events.Data):
            if self.runs:
                self._log.write(self._redactors[event.channel].feed(event.payload))
            self._board.agent.mux.consumed(event.stream, len(event.payload))
        elif not self.runs:
            return
        elif isinstance(event, events.Answered):
            self._ended(event.message)
        elif isinstance(event, events.Failed):
            self._refuse(event.fault)

    def _ended(self, answer: Message) -> None:
        try:
            code = messages.optional_integer(answer, "exit_code", low=0, high=255)
            number = messages.optional_integer(answer, "signal_number", low=1, high=64)
            oom = messages.flag(answer, "oom", default=False)
        except messages.MessageError as error:
            self._refuse(Fault("guest_failed", "the machine did not say how the service ended", str(error)))
            return
        self._facts |= {"exit_code": code, "signal": number, "oom": oom}
        how = _how(code, number, oom=oom)
        if self._ending is not None:
            self._end(*self._ending)
        elif self.state == "starting":
            self._end("failed", f"it ended before it was ready: {how}")
        else:
            self._end("exited", how)

    def _refuse(self, fault: Fault) -> None:
        if self._ending is not None:
            self._end(*self._ending)
            return
        self.fault = redacted_fault(fault, self._redactors[1])
        self._end("failed" if self.state == "starting" else "exited", self.fault.brief)

    def _kill(self) -> None:
        if self.runs and self._stream in self._board.agent.mux:
            self._board.agent.mux.cancel(self._stream)
            self._board.agent.update()

    def _end(self, state: str, reason: str) -> None:
        if self._look is not None:
            self._look.abandon()
        for redactor in self._redactors.values():
            self._log.write(redactor.finish())
        self._log.close()
        self._facts |= {"reason": reason, "ended_at": _now_ms()}
        self._settle(state)

    def _settle(self, state: str) -> None:
        self.state = state
        with suppress(OSError):  # the host's disk is full: whoever asks this keeper is told all the same
            self._keep()
        self._on_settled(self)

    def _keep(self) -> None:
        write_whole(self.plan.directory / STATE_FILE, json.dumps(self.told()).encode())


def _how(code: int | None, number: int | None, *, oom: bool) -> str:
    if oom:
        return "the machine's memory did not suffice"
    if number is None:
        return f"exit status {code}"
    name = signal.Signals(number).name.removeprefix("SIG") if number < 32 else str(number)
    return f"signal {name}"


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
