"""Errors, named for what the caller can do next.

Every error a user may meet is one of these. The front ends translate them once each: the CLI to a message and an exit
status, the MCP server to a tool error; the SDK lets them through. A command that ran and failed is a result, not an error.
"""

from collections.abc import Callable
from typing import ClassVar


class PyroError(Exception):
    """What went wrong in one line (`brief`), what is known about it (`details`), and what to do next (`hint`)."""

    code: ClassVar[str] = "error"
    exit_status: ClassVar[int] = 1

    def __init__(self, brief: str, *, details: str | None = None, hint: str | None = None) -> None:
        super().__init__(brief)
        self.brief = brief
        self.details = details
        self.hint = hint

    def rewrite(self, text: Callable[[str], str]) -> None:
        """Say it in other words: each part becomes what `text` makes of it."""
        self.brief = text(self.brief)
        self.details = self.details and text(self.details)
        self.hint = self.hint and text(self.hint)
        self.args = (self.brief,)

    def __str__(self) -> str:
        parts = (self.brief, self.details, self.hint and f"hint: {self.hint}")
        return "\n".join(part for part in parts if part)


class InvalidRequest(PyroError):
    """The request makes no sense as it stands; nothing was started. Correct it and ask again."""

    code = "invalid_request"
    exit_status = 2


class NotFound(PyroError):
    """The thing named does not exist. Look at the list, or at the near names in the hint."""

    code = "not_found"
    exit_status = 3


class Conflict(PyroError):
    """Something else stands in the way: a name taken, a lock held, content that changed. Look again, then retry."""

    code = "conflict"
    exit_status = 4


class HostUnfit(PyroError):
    """This host cannot do it as it is: a program, permission or facility is missing. The hint names the remedy."""

    code = "host_unfit"
    exit_status = 5


class GuestFailed(PyroError):
    """The machine or its agent failed, not the command in it. Try again; its logs are in the details."""

    code = "guest_failed"
    exit_status = 6


class OutcomeUnknown(PyroError):
    """The line broke after the request was sent: it may or may not have happened. Look before retrying."""

    code = "outcome_unknown"
    exit_status = 7


class PolicyDenied(PyroError):
    """The user's own rules forbid it. Only the user can change them."""

    code = "policy_denied"
    exit_status = 8


class LimitReached(PyroError):
    """A bound was met: memory, disk, size or time. Free some, or ask for less."""

    code = "limit_reached"
    exit_status = 9
