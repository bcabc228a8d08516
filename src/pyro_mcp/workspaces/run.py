"""Run one command in a throwaway machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from pyro_mcp.environments.values import Environment
from pyro_mcp.errors import GuestFailed, OutcomeUnknown
from pyro_mcp.host.interruption import Interruption
from pyro_mcp.keeper.start import StartedKeeper
from pyro_mcp.models.network import decisions_from
from pyro_mcp.models.run import OnOutput, RunRequest, RunResult
from pyro_mcp.workspaces.machines.command import CHANNELS, InputDescriptor, Wishes, ended_from
from pyro_mcp.workspaces.machines.grounds import Parts
from pyro_mcp.workspaces.machines.promises import Promises
from pyro_mcp.workspaces.machines.values import Size
from pyro_wire.messages import Message

# Where a copy of a project is found, in a workspace, too.
_SEEDED = "/workspace"


def run_in_throwaway(
    keeper: StartedKeeper,
    parts: Parts,
    request: RunRequest,
    on_output: OnOutput | None,
    interruption: Interruption | None,
) -> RunResult:
    """Make a machine, run the command, tell what came of it; the machine is gone before this returns."""
    environment = parts.environment_store.ensure(request.environment)
    seed = None if request.seed_path is None else parts.seeds.ensure(Path(request.seed_path))
    promises = Promises(request.require_isolation, request.require_confinement)
    size = Size(request.vcpu_count, request.mem_mib)
    with (
        parts.shop.throwaway(
            keeper,
            environment,
            size,
            promises,
            request.network,
            seed=seed.image if seed is not None else None,
        ) as machine,
        machine.channel() as channel,
        interruption.heeded() if interruption else nullcontext(),
        _nothing_unknown(),
    ):
        answer = channel.ask(
            _message(request, environment),
            on_data=lambda number, data: on_output(CHANNELS[number], data) if on_output else None,
            body=InputDescriptor(request.stdin) if isinstance(request.stdin, int) else request.stdin,
            controls=Wishes(interruption) if interruption else None,
        )
        decided = channel.ask({"verb": "keeper.decisions"}).get("decisions")
    ended = ended_from(answer, interrupted=bool(interruption and interruption.wish))
    network = tuple(decisions_from(decided))
    return RunResult(
        outcome=ended.outcome,
        exit_code=ended.exit_code,
        signal=ended.signal,
        duration_ms=ended.duration_ms,
        environment=request.environment,
        isolation=machine.isolation,
        confinement=machine.confinement,
        seed=seed.report if seed is not None else None,
        left_running=ended.left_running,
        no_network=request.network.policy == "off" and any(item.outcome == "refused" for item in network),
        network=network,
    )


@contextmanager
def _nothing_unknown() -> Iterator[None]:
    """What a throwaway machine did is gone with it: there is nothing to look at before one tries again."""
    try:
        yield
    except OutcomeUnknown as error:
        hint = "run it again; nothing of it is left on this host"
        raise GuestFailed(error.brief, details=error.details, hint=hint) from error


def _message(request: RunRequest, environment: Environment) -> Message:
    command = ["sh", "-c", request.command] if isinstance(request.command, str) else list(request.command)
    return {
        "verb": "exec",
        "argv": command,
        "env": {**environment.defaults.env, **request.env},
        "cwd": environment.defaults.workdir if request.seed_path is None else _SEEDED,
        "user": None if environment.defaults.user == "root" else environment.defaults.user,
        "timeout_ms": round(request.timeout_seconds * 1000),
        "stdin": request.stdin is not None,
    }
