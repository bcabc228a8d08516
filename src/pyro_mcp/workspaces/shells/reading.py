"""Read a shell, after waiting for its prompt, for a pause, or for a pattern: whichever comes first."""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import dataclass, replace

from pyro_mcp.host.interruption import Interruption
from pyro_mcp.models.shell import ShellText, ShellView, Waited
from pyro_mcp.workspaces.machines.command import Wishes
from pyro_mcp.workspaces.session import Session, Sessions
from pyro_mcp.workspaces.shells.access import at_shell
from pyro_mcp.workspaces.shells.answers import text_from
from pyro_mcp.workspaces.shells.matching import Matcher
from pyro_wire.messages import Message

# What a pattern is tried on: of more, the newest.
_MOST_MATCHED = 64 * 1024
_EVERYTHING = 16 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRequest:
    """What to read of a shell, and what to wait for before.

    `match_from`: where what a pattern may match begins, if that is not where the reading does.
    """

    cursor: int | None = None
    match_from: int | None = None
    max_chars: int | None = None
    view: ShellView = "text"
    wait_for_idle_ms: int | None = None
    wait_for_pattern: str | None = None
    wait_for_prompt: bool = False
    timeout_seconds: float = 25


def read_shell(
    sessions: Sessions,
    reference: str,
    shell_id: str,
    request: ReadRequest,
    interruption: Interruption | None = None,
) -> ShellText:
    """Give what a shell shows, or what it has written since a cursor."""
    with (
        at_shell(sessions, reference, shell_id, "shell.read", view=request.view) as session,
        interruption.heeded() if interruption else nullcontext(),
    ):
        reading = _Reading(session, shell_id, request, interruption)
        found = reading.until_matched() if request.wait_for_pattern is not None else reading.once()
        session.note(state=found.state, exit_code=found.exit_code, waited=found.waited)
        return found


def require_pattern(pattern: str) -> None:
    """Raise InvalidRequest for what is no regular expression."""
    with Matcher(pattern) as matcher:
        matcher.matches("")


class _Reading:
    """One call: a request to the keeper, or with a pattern as many as it takes."""

    def __init__(
        self, session: Session, shell_id: str, request: ReadRequest, interruption: Interruption | None
    ) -> None:
        self._session, self._shell_id, self._request = session, shell_id, request
        self._interruption = interruption
        self._began = time.monotonic()

    def once(self) -> ShellText:
        """Let the keeper do the waiting."""
        return self._ask({"prompt": self._request.wait_for_prompt})

    def until_matched(self) -> ShellText:
        """Try the pattern on every change: here, for none that takes too long may hold the keeper up."""
        request = self._request
        assert request.wait_for_pattern is not None
        cursor = request.cursor if request.match_from is None else request.match_from
        window, beyond = "", None
        with Matcher(request.wait_for_pattern) as matcher:
            while True:
                peeked, end = self._peek(cursor, beyond)
                window = f"{window}\n{peeked.text}"[-_MOST_MATCHED:] if peeked.view == "text" else peeked.text
                if matcher.matches(window):
                    return self._now("pattern")
                if peeked.truncated:
                    cursor, beyond = peeked.cursor, None
                elif beyond is not None and peeked.waited not in (None, "output"):
                    return self._now(peeked.waited)
                else:
                    cursor, beyond = peeked.cursor, end

    def _peek(self, cursor: int | None, beyond: int | None) -> tuple[ShellText, int]:
        """Look at what is new, without moving where the next reader begins."""
        wish: dict[str, object] = {"peek": True, "max_chars": _MOST_MATCHED, "cursor": cursor}
        if beyond is None:
            wish |= {"prompt": False, "idle_ms": None, "timeout_ms": 0, "beyond": _EVERYTHING << 20}
        else:
            wish |= {"prompt": self._request.wait_for_prompt, "beyond": beyond}
        ends: list[int] = []
        found = self._ask(wish, ends)
        return found, ends[0]

    def _now(self, why: Waited | None) -> ShellText:
        wish = {"prompt": False, "idle_ms": None, "timeout_ms": 0, "beyond": _EVERYTHING << 20}
        found = self._ask(wish)
        return replace(found, waited=why if found.state != "ended" or why == "pattern" else "ended")

    def _ask(self, wish: Message, ends: list[int] | None = None) -> ShellText:
        request, data = self._request, bytearray()
        waited = time.monotonic() - self._began
        answer = self._session.ask(
            {
                "verb": "keeper.shell.read",
                "shell_id": self._shell_id,
                "view": request.view,
                "cursor": request.cursor,
                "max_chars": request.max_chars or _EVERYTHING,
                "idle_ms": request.wait_for_idle_ms,
                "waited_ms": round(waited * 1000),
                "timeout_ms": round(max(0.0, request.timeout_seconds - waited) * 1000),
                **wish,
            },
            on_data=lambda _, part: data.extend(part),
            controls=Wishes(self._interruption) if self._interruption else None,
        )
        if ends is not None:
            ends.append(int(str(answer.get("end", 0))))
        return text_from(answer, bytes(data), self._session)
