"""What all commands have in common, in a throwaway machine or a workspace: input, wishes, and how they ended."""

from __future__ import annotations

import os
from dataclasses import dataclass

from pyro_mcp.errors import GuestFailed
from pyro_mcp.host.interruption import Interruption
from pyro_mcp.models.run import Outcome, StreamName
from pyro_wire import messages
from pyro_wire.messages import Message

CHANNELS: dict[int, StreamName] = {1: "stdout", 2: "stderr"}
_LONGEST = 2**53
# A shell reports 128 + n for a command that signal n ended.
_SIGNAL_BASE = 128


@dataclass(frozen=True, slots=True)
class InputDescriptor:
    """Input that is read as the guest takes it."""

    descriptor: int

    def fileno(self) -> int:
        return self.descriptor

    def read(self, most: int) -> bytes:
        return os.read(self.descriptor, most)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the caller wants of a running command, as control messages.

    Of a `lasting` one the keeper can be asked to go on without the caller; one that is not is killed then. Who only `waits` for
    a command that somebody else started leaves it, whatever the wish.
    """

    interruption: Interruption
    lasting: bool = False
    waits: bool = False

    def fileno(self) -> int:
        return self.interruption.fileno()

    def take(self) -> Message | None:
        wish = self.interruption.take()
        if self.waits or (self.lasting and wish == "leave"):
            return {"detach": True}
        return {"signal": "INT"} if wish == "interrupt" else None


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended; `duration_ms` is the guest's own measure."""

    outcome: Outcome
    exit_code: int | None
    signal: int | None
    duration_ms: int
    left_running: bool = False


def ended_from(answer: Message, *, interrupted: bool) -> Ended:
    """Read how the command ended; a guest that does not say so properly has failed."""
    try:
        exit_code = messages.optional_integer(answer, "exit_code", low=0, high=255)
        signal = messages.optional_integer(answer, "signal_number", low=1, high=64)
        timed_out = messages.flag(answer, "timed_out", default=False)
        killed = messages.flag(answer, "killed", default=False)
        left = messages.flag(answer, "left_running", default=False)
        duration = messages.integer(answer, "duration_ms", low=0, high=_LONGEST)
    except messages.MessageError as error:
        raise GuestFailed("the machine did not say how the command ended", details=str(error)) from error
    if timed_out:
        return Ended("timed_out", None, signal, duration)
    if killed:
        return Ended("interrupted" if interrupted else "killed", None, signal, duration)
    if signal is not None:
        outcome: Outcome = "interrupted" if interrupted else "finished"
        return Ended(outcome, _SIGNAL_BASE + signal, signal, duration, left)
    if exit_code is None:
        raise GuestFailed("the machine did not say how the command ended", details=str(dict(answer)))
    return Ended("finished", exit_code, None, duration, left)
