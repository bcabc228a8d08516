"""Say why a request failed, in the same four parts on both sides of the line."""

from __future__ import annotations

from dataclasses import dataclass

from pyro_wire.messages import Message, MessageError

CODES = frozenset(
    {
        "invalid_request",
        "not_found",
        "conflict",
        "host_unfit",
        "guest_failed",
        "outcome_unknown",
        "policy_denied",
        "limit_reached",
    }
)
# Long enough for a traceback's useful end; keeps a fault far below a frame even when every character is escaped.
MAX_TEXT = 3000


@dataclass(frozen=True, slots=True)
class Fault:
    """A failed request: a code for programs, a brief for people, and what may help."""

    code: str
    brief: str
    details: str | None = None
    hint: str | None = None

    def to_message(self) -> Message:
        """Return the JSON object of a FAULT frame, each text cut to a bounded length."""
        return {
            "code": self.code,
            "brief": self.brief[:MAX_TEXT],
            "details": None if self.details is None else self.details[-MAX_TEXT:],
            "hint": None if self.hint is None else self.hint[:MAX_TEXT],
        }

    @classmethod
    def from_message(cls, message: Message) -> Fault:
        """Read a peer's fault; a code we do not know becomes `guest_failed`, never a new one."""
        code, brief = message.get("code"), message.get("brief")
        if not isinstance(code, str) or not isinstance(brief, str):
            raise MessageError("a fault without code or brief")
        return cls(
            code if code in CODES else "guest_failed",
            brief[:MAX_TEXT],
            _text_or_none(message.get("details")),
            _text_or_none(message.get("hint")),
        )


class FaultError(Exception):
    """Raised where a request is found to be impossible; becomes the FAULT of its stream."""

    def __init__(self, code: str, brief: str, *, details: str | None = None, hint: str | None = None) -> None:
        super().__init__(brief)
        self.fault = Fault(code, brief, details, hint)


def _text_or_none(value: object) -> str | None:
    return value[:MAX_TEXT] if isinstance(value, str) else None
