"""Open shells and use them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pyro_mcp.errors import GuestFailed, PyroError
from pyro_mcp.guest.channel import Channel
from pyro_mcp.models.shell import ShellInfo, ShellText, ShellWritten
from pyro_mcp.workspaces.secrets.variables import secret_variables
from pyro_mcp.workspaces.session import Session, Sessions
from pyro_mcp.workspaces.shells.access import at_shell, records_of
from pyro_mcp.workspaces.shells.answers import info_from, text_from
from pyro_mcp.workspaces.shells.startup import shell_request
from pyro_wire import messages
from pyro_wire.messages import Message

# A shell shows its prompt within 300 ms under emulation; its user's own files may take longer.
_PROMPT_SECONDS = 20.0
_ASK_SECONDS = 10.0
_EVERYTHING = 16 << 20
# Of what was typed, in the history.
_LOGGED = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRequest:
    """A shell that is wanted."""

    cwd: str = "/workspace"
    cols: int = 120
    rows: int = 30
    env: Mapping[str, str] = field(default_factory=dict)
    secret_env: Mapping[str, str] = field(default_factory=dict)
    max_chars: int | None = None


def open_shell(sessions: Sessions, reference: str, request: OpenRequest) -> ShellText:
    """Open a shell; answers at its first prompt."""
    with sessions.using(reference, "shell.open", cwd=request.cwd) as session:
        data = bytearray()
        answer = session.ask(
            {
                "verb": "keeper.shell.open",
                "directory": str(records_of(sessions, session.record.id)),
                "request": _for_agent(sessions, session, request),
                "timeout_ms": round(_PROMPT_SECONDS * 1000),
                "max_chars": request.max_chars or _EVERYTHING,
            },
            on_data=lambda _, part: data.extend(part),
        )
        opened = text_from(answer, bytes(data), session)
        session.note(shell_id=opened.shell_id)
        return opened


def write_shell(
    sessions: Sessions, reference: str, shell_id: str, text: str, *, newline: bool, keys: Sequence[str]
) -> ShellWritten:
    """Type a text and press keys."""
    noted = {"input": text[:_LOGGED], "keys": list(keys)}
    with at_shell(sessions, reference, shell_id, "shell.write", **noted) as session:
        answer = session.ask(
            {
                "verb": "keeper.shell.write",
                "shell_id": shell_id,
                "input": text,
                "keys": list(keys),
                "newline": newline,
            },
            timeout=_ASK_SECONDS,
        )
        try:
            cursor = messages.integer(answer, "cursor", low=0, high=2**53)
            written = messages.integer(answer, "written", low=0, high=2**53)
        except messages.MessageError as error:
            raise GuestFailed("the keeper said nothing sensible of a shell", details=str(error)) from error
        return ShellWritten(shell_id=shell_id, cursor=cursor, written_bytes=written)


def signal_shell(sessions: Sessions, reference: str, shell_id: str, name: str) -> ShellInfo:
    """Signal what runs in the foreground of a shell."""
    return _tell(sessions, reference, shell_id, "signal", signal=name)


def resize_shell(sessions: Sessions, reference: str, shell_id: str, *, cols: int, rows: int) -> ShellInfo:
    """Give a shell another size."""
    return _tell(sessions, reference, shell_id, "resize", columns=cols, rows=rows)


def close_shell(sessions: Sessions, reference: str, shell_id: str) -> ShellInfo:
    """End a shell and all that runs in it."""
    return _tell(sessions, reference, shell_id, "close")


def list_shells(sessions: Sessions, reference: str) -> list[ShellInfo]:
    """Tell which shells a workspace has; starts none, and is no activity."""
    sessions.tidy()
    socket = sessions.machines.socket(sessions.record(reference).id)
    if socket is None:
        return []
    with Channel(socket) as channel:
        answer = channel.ask({"verb": "keeper.shell.list"}, timeout=_ASK_SECONDS)
    listed = answer.get("shells")
    if not isinstance(listed, list):
        raise GuestFailed("the keeper did not list its shells")
    return [info_from(item) for item in listed if isinstance(item, dict)]


def newest_shell(sessions: Sessions, reference: str) -> str | None:
    """Name the shell that was opened last and still goes on."""
    try:
        going = [shell for shell in list_shells(sessions, reference) if shell.state != "ended"]
    except PyroError:  # its machine has just ended
        return None
    return going[-1].shell_id if going else None


def _tell(sessions: Sessions, reference: str, shell_id: str, verb: str, **facts: str | int) -> ShellInfo:
    with at_shell(sessions, reference, shell_id, f"shell.{verb}", **facts) as session:
        message: Message = {"verb": f"keeper.shell.{verb}", "shell_id": shell_id, **facts}
        return info_from(session.ask(message, timeout=_ASK_SECONDS))


def _for_agent(sessions: Sessions, session: Session, request: OpenRequest) -> Message:
    return shell_request(
        cwd=os.path.join("/workspace", request.cwd),  # noqa: PTH118 - a path in the guest
        env={**request.env, **secret_variables(sessions, session.record, request.secret_env)},
        defaults=sessions.grounds.environment_of(session.record).defaults.env,
        cols=request.cols,
        rows=request.rows,
    )
