"""Run one command in a throwaway machine."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass

from pyro_mcp.environments.store import EnvironmentStore
from pyro_mcp.environments.values import Environment
from pyro_mcp.errors import GuestFailed
from pyro_mcp.host.interruption import Interruption
from pyro_mcp.models.run import OnOutput, Outcome, RunRequest, RunResult, StreamName
from pyro_mcp.workspaces.machines import MachineShop, Promises, Size
from pyro_wire import messages
from pyro_wire.messages import Message

_CHANNELS: dict[int, StreamName] = {1: "stdout", 2: "stderr"}
_LONGEST = 2**53
# A shell reports 128 + n for a command that signal n ended.
_SIGNAL_BASE = 128


def run_in_throwaway(
    shop: MachineShop,
    environments: EnvironmentStore,
    request: RunRequest,
    on_output: OnOutput | None,
    interruption: Interruption | None,
) -> RunResult:
    """Make a machine, run the command, tell what came of it; the machine is gone before this returns."""
    environment = environments.ensure(request.environment)
    promises = Promises(request.require_isolation, request.require_confinement)
    size = Size(request.vcpu_count, request.mem_mib)
    with (
        shop.throwaway(environment, size, promises) as machine,
        machine.channel() as channel,
        interruption.heeded() if interruption else nullcontext(),
    ):
        answer = channel.ask(
            _message(request, environment),
            on_data=lambda number, data: on_output(_CHANNELS[number], data) if on_output else None,
            body=_Descriptor(request.stdin) if isinstance(request.stdin, int) else request.stdin,
            controls=_Wishes(interruption) if interruption else None,
        )
    ended = _ended(answer, interrupted=bool(interruption and interruption.wish))
    return RunResult(
        outcome=ended.outcome,
        exit_code=ended.exit_code,
        signal=ended.signal,
        duration_ms=ended.duration_ms,
        environment=request.environment,
        isolation=machine.isolation,
        confinement=machine.confinement,
    )


def _message(request: RunRequest, environment: Environment) -> Message:
    command = ["sh", "-c", request.command] if isinstance(request.command, str) else list(request.command)
    return {
        "verb": "exec",
        "argv": command,
        "env": {**environment.defaults.env, **request.env},
        "cwd": environment.defaults.workdir,
        "timeout_ms": round(request.timeout_seconds * 1000),
        "stdin": request.stdin is not None,
    }


@dataclass(frozen=True, slots=True)
class _Descriptor:
    """Input that is read as the guest takes it."""

    descriptor: int

    def fileno(self) -> int:
        return self.descriptor


@dataclass(frozen=True, slots=True)
class _Wishes:
    """What the caller wants of a running command, as the agent's control messages."""

    interruption: Interruption

    def fileno(self) -> int:
        return self.interruption.fileno()

    def take(self) -> Message | None:
        return {"signal": "INT"} if self.interruption.take() == "interrupt" else None


@dataclass(frozen=True, slots=True)
class _Ended:
    outcome: Outcome
    exit_code: int | None
    signal: int | None
    duration_ms: int


def _ended(answer: Message, *, interrupted: bool) -> _Ended:
    """Read how the command ended; a guest that does not say so properly has failed."""
    try:
        exit_code = messages.optional_integer(answer, "exit_code", low=0, high=255)
        signal = messages.optional_integer(answer, "signal_number", low=1, high=64)
        timed_out = messages.flag(answer, "timed_out", default=False)
        killed = messages.flag(answer, "killed", default=False)
        duration = messages.integer(answer, "duration_ms", low=0, high=_LONGEST)
    except messages.MessageError as error:
        raise GuestFailed("the machine did not say how the command ended", details=str(error)) from error
    if timed_out:
        return _Ended("timed_out", None, signal, duration)
    if killed:
        return _Ended("interrupted" if interrupted else "killed", None, signal, duration)
    if signal is not None:
        outcome: Outcome = "interrupted" if interrupted else "finished"
        return _Ended(outcome, _SIGNAL_BASE + signal, signal, duration)
    if exit_code is None:
        raise GuestFailed("the machine did not say how the command ended", details=str(dict(answer)))
    return _Ended("finished", exit_code, None, duration)
