"""Read what a keeper says about a shell."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import cast, get_args

from pyro_mcp.errors import GuestFailed
from pyro_mcp.models.shell import ShellInfo, ShellState, ShellText, ShellView, Waited
from pyro_mcp.workspaces.session import Session
from pyro_wire import messages
from pyro_wire.messages import Message, MessageError

_MOST = 2**53


def info_from(answer: Message) -> ShellInfo:
    """Give a shell in short."""
    try:
        return ShellInfo(
            shell_id=messages.text(answer, "shell_id"),
            state=_state(answer),
            exit_code=messages.optional_integer(answer, "exit_code", low=0, high=255),
            program=messages.text(answer, "program"),
            cwd=messages.text(answer, "cwd"),
            cols=_count(answer, "columns"),
            rows=_count(answer, "rows"),
            full_screen=messages.flag(answer, "full_screen"),
            attached=_count(answer, "attached"),
            opened_at=datetime.fromtimestamp(float(cast(float, answer["opened_at"])), UTC),
            ended=messages.optional_text(answer, "ended"),
        )
    except (MessageError, KeyError, TypeError, ValueError) as error:
        raise GuestFailed("the keeper said nothing sensible of a shell", details=str(error)) from error


def text_from(answer: Message, data: bytes, session: Session) -> ShellText:
    """Give what was read of a shell."""
    info = info_from(answer)
    raw = answer.get("view") == "raw"
    try:
        return ShellText(
            shell_id=info.shell_id,
            text="" if raw else data.decode("utf-8", "replace"),
            raw=data if raw else None,
            view=cast(ShellView, _word(answer, "view", get_args(ShellView))),
            cursor=_count(answer, "next"),
            dropped_bytes=_count(answer, "dropped_bytes"),
            truncated=messages.flag(answer, "truncated"),
            skipped_from=messages.optional_integer(answer, "skipped_from", low=0, high=_MOST),
            state=info.state,
            exit_code=info.exit_code,
            waited=cast(Waited | None, answer.get("waited") or None),
            full_screen=info.full_screen,
            cursor_row=_count(answer, "cursor_row"),
            cursor_column=_count(answer, "cursor_column"),
            ended=info.ended,
            resumed=session.resumed is not None,
            resumed_reason=session.resumed,
        )
    except MessageError as error:
        raise GuestFailed("the keeper said nothing sensible of a shell", details=str(error)) from error


def _state(answer: Mapping[str, object]) -> ShellState:
    return cast(ShellState, _word(answer, "state", get_args(ShellState)))


def _word(answer: Message, name: str, known: tuple[str, ...]) -> str:
    word = messages.text(answer, name)
    if word not in known:
        raise MessageError(f"{name}: there is no {word[:40]!r}")
    return word


def _count(answer: Message, name: str) -> int:
    return messages.integer(answer, name, low=0, high=_MOST)
