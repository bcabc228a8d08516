"""Run commands in a workspace; what they write is kept whole, and they outlive whoever started them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pyro_mcp.errors import GuestFailed, NotFound, OutcomeUnknown, PyroError
from pyro_mcp.guest.faults import error_from
from pyro_mcp.host.interruption import Interruption
from pyro_mcp.models.network import decisions_from
from pyro_mcp.models.run import OnOutput, StreamName
from pyro_mcp.models.workspace import ExecOutcome, ExecResult
from pyro_mcp.workspaces.machines.command import CHANNELS, InputDescriptor, Wishes, ended_from
from pyro_mcp.workspaces.secrets.variables import secret_variables
from pyro_mcp.workspaces.session import Session, Sessions
from pyro_wire.faults import Fault
from pyro_wire.messages import Message

if TYPE_CHECKING:
    from pyro_mcp.workspaces.outputs.store import OutputStore, Shortened

# All that the store keeps of a stream (keeper/jobs/job.py): without a limit of the caller, an answer has everything.
_WHOLE = 1 << 30
# A command that is killed is gone in tens of milliseconds.
_KILLED_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecRequest:
    """A command for a workspace."""

    command: str | tuple[str, ...]
    cwd: str = "/workspace"
    env: Mapping[str, str] = field(default_factory=dict)
    stdin: bytes | int | None = None
    user: str | None = None
    timeout_seconds: float = 600
    yield_after_seconds: float | None = None
    max_output_chars: int | None = None
    secret_env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Told:
    """How many bytes of each stream a caller has had."""

    stdout: int = 0
    stderr: int = 0


NOTHING_TOLD = Told()


def exec_command(
    sessions: Sessions,
    reference: str,
    request: ExecRequest,
    on_output: OnOutput | None = None,
    interruption: Interruption | None = None,
) -> ExecResult:
    """Run a command; answers when it has ended, or that it still runs after `yield_after_seconds`."""
    command = request.command if isinstance(request.command, str) else list(request.command)
    with sessions.using(reference, "exec", command=command, cwd=request.cwd) as session:
        exec_id, directory = session.outputs.new()
        message: dict[str, object] = {
            "verb": "keeper.exec",
            "exec_id": exec_id,
            "directory": str(directory),
            "request": _for_agent(sessions, session, request),
        }
        session.note(exec_id=exec_id)
        with interruption.heeded() if interruption else nullcontext():
            wishes = Wishes(interruption, lasting=True) if interruption else None
            answer = _follow(
                session, exec_id, message, request.yield_after_seconds, on_output, wishes, request.stdin
            )
        return _result(session, exec_id, answer, request.max_output_chars, interruption)


def wait_for_exec(
    sessions: Sessions,
    reference: str,
    exec_id: str,
    *,
    wait_seconds: float,
    action: str,
    max_output_chars: int | None = None,
    told: Told = NOTHING_TOLD,
    interruption: Interruption | None = None,
) -> ExecResult:
    """Wait for a command that was started earlier, from any process; or interrupt or kill it and then wait.

    Any wish of `interruption` ends the waiting, never the command. `told`: how much of its output the caller has already.
    """
    record = sessions.record(reference)
    outputs = sessions.directories.outputs(record.id)
    outputs.size(exec_id, "stdout")  # raises NotFound
    if (answer := kept_result(sessions, record.id, exec_id)) is not None or sessions.machines.socket(
        record.id
    ) is None:
        session = sessions.session(record, sessions.paths.runtime)  # asks nobody
        return _result(session, exec_id, answer or {"unknown": True}, max_output_chars, None, told)
    with sessions.using(reference, "exec.wait", exec_id=exec_id, action=action) as session:
        if action != "wait":
            wish = {"kill": True} if action == "kill" else {"signal": "INT"}
            with suppress(NotFound):
                session.ask({"verb": "keeper.signal", "exec_id": exec_id, **wish})
        message: dict[str, object] = {"verb": "keeper.follow", "exec_id": exec_id}
        try:
            wishes = Wishes(interruption, waits=True) if interruption else None
            with interruption.heeded() if interruption else nullcontext():
                answer = _follow(session, exec_id, message, wait_seconds, None, wishes, None)
        except NotFound:
            answer = kept_result(sessions, record.id, exec_id) or {"unknown": True}
        return _result(session, exec_id, answer, max_output_chars, None, told)


def _for_agent(sessions: Sessions, session: Session, request: ExecRequest) -> Message:
    defaults = sessions.grounds.environment_of(session.record).defaults
    argv = ["sh", "-c", request.command] if isinstance(request.command, str) else list(request.command)
    return {
        "argv": argv,
        "env": {
            **defaults.env,
            **request.env,
            **secret_variables(sessions, session.record, request.secret_env),
        },
        "cwd": os.path.join("/workspace", request.cwd),  # noqa: PTH118 - a path in the guest
        "user": request.user,
        "timeout_ms": round(request.timeout_seconds * 1000),
        "stdin": request.stdin is not None,
    }


def _follow(
    session: Session,
    exec_id: str,
    message: dict[str, object],
    yield_after: float | None,
    on_output: OnOutput | None,
    wishes: Wishes | None,
    stdin: bytes | int | None,
) -> Message:
    if yield_after is not None:
        message["yield_ms"] = round(yield_after * 1000)
    message["follow"] = on_output is not None
    outlet = _Outlet(on_output)
    try:
        return session.ask(
            message,
            on_data=outlet.take,
            body=InputDescriptor(stdin) if isinstance(stdin, int) else stdin,
            controls=wishes,
        )
    except OutcomeUnknown as error:
        session.note(exec_id=exec_id)
        raise OutcomeUnknown(
            error.brief,
            details=f"the command {exec_id} ran; what it wrote until then is kept\n{error.details or ''}",
            hint=f"`<<workspace_output_read>>` gives what {exec_id} wrote; "
            "the next operation starts the workspace again from its disk",
        ) from error
    except BaseException:
        if outlet.failed:
            _end(session, exec_id)
        raise


class _Outlet:
    """Where output goes while it comes; knows whether it was this that failed: a reader who has gone, a full disk."""

    def __init__(self, on_output: OnOutput | None) -> None:
        self._on_output = on_output
        self.failed = False

    def take(self, number: int, data: bytes) -> None:
        if self._on_output is None:
            return
        try:
            self._on_output(CHANNELS[number], data)
        except Exception:
            self.failed = True
            raise


def _end(session: Session, exec_id: str) -> None:
    """Kill a command whose output nobody takes, and wait until it is gone: in a pipeline it would have died of it."""
    with suppress(PyroError):
        session.ask({"verb": "keeper.signal", "exec_id": exec_id, "kill": True})
        session.ask({"verb": "keeper.follow", "exec_id": exec_id}, timeout=_KILLED_SECONDS)


def _result(
    session: Session,
    exec_id: str,
    answer: Message,
    max_chars: int | None,
    interruption: Interruption | None,
    told: Told = NOTHING_TOLD,
) -> ExecResult:
    ended = _state(answer, interruption)
    if told == NOTHING_TOLD:
        both = session.outputs.both(exec_id, max_chars or _WHOLE)
    else:
        both = _rest(session.outputs, exec_id, told, max_chars or _WHOLE)
    refused = tuple(decisions_from(answer.get("refused")))
    session.note(outcome=ended.outcome, exit_code=ended.exit_code)
    return ExecResult(
        outcome=ended.outcome,
        exit_code=ended.exit_code,
        signal=ended.signal,
        stdout=both["stdout"].text,
        stderr=both["stderr"].text,
        stdout_truncated=both["stdout"].truncated or bool(answer.get("stdout_dropped")),
        stderr_truncated=both["stderr"].truncated or bool(answer.get("stderr_dropped")),
        duration_ms=ended.duration_ms,
        exec_id=exec_id,
        output_id=exec_id,
        stdout_from=told.stdout,
        stderr_from=told.stderr,
        stdout_bytes=told.stdout + both["stdout"].size,
        stderr_bytes=told.stderr + both["stderr"].size,
        left_running=ended.left_running,
        no_network=bool(refused) and session.record.network.policy == "off",
        network=refused,
        resumed=session.resumed is not None,
        resumed_reason=session.resumed,
    )


def _rest(outputs: OutputStore, exec_id: str, told: Told, max_chars: int) -> dict[StreamName, Shortened]:
    """What both streams have beyond what was told, each within half of the budget."""

    def rest(stream: StreamName, offset: int) -> Shortened:
        from pyro_mcp.workspaces.outputs.store import shorten

        return shorten(outputs.read(exec_id, stream, offset=offset, limit=_WHOLE).data, max_chars // 2)

    return {"stdout": rest("stdout", told.stdout), "stderr": rest("stderr", told.stderr)}


@dataclass(frozen=True, slots=True)
class _State:
    """How a command stands, where it may not have ended."""

    outcome: ExecOutcome
    exit_code: int | None = None
    signal: int | None = None
    duration_ms: int = 0
    left_running: bool = False


def _state(answer: Message, interruption: Interruption | None) -> _State:
    if answer.get("running") is True:
        elapsed = answer.get("duration_ms")
        return _State("running", duration_ms=elapsed if isinstance(elapsed, int) else 0)
    if answer.get("unknown") is True:
        return _State("unknown")
    ended = ended_from(answer, interrupted=bool(interruption and interruption.wish))
    return _State(ended.outcome, ended.exit_code, ended.signal, ended.duration_ms, ended.left_running)


def kept_result(sessions: Sessions, workspace_id: str, exec_id: str) -> Message | None:
    """How a command ended, as its keeper left word; raises the typed error of one that could not be run."""
    path = sessions.directories.outputs(workspace_id).path(exec_id, "stdout").with_name("result.json")
    try:
        kept = json.loads(path.read_bytes())
    except OSError:
        return None
    except ValueError as error:
        raise GuestFailed(f"the result of {exec_id} is damaged", details=str(error)) from error
    if "fault" not in kept:
        return dict(kept)
    why = error_from(Fault.from_message(kept["fault"]))
    if isinstance(why, OutcomeUnknown):
        return {"unknown": True}
    raise why
