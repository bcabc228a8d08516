"""Errors, named for what the caller can do next.

Every error a user may meet is one of these. The front ends translate them once each: the CLI to a message and an exit
status, the MCP server to a tool error; the SDK lets them through. A command that ran and failed is a result, not an error.
"""

import re
from collections.abc import Callable
from typing import ClassVar

# What a hint names and each door spells in its own way: an operation, or an argument, which may have a value.
_MARK = re.compile(r"<<(?P<name>[a-z_]+)(?:=(?P<value>[\w+-]+))?>>")
# Gives a name, and the value it may have, in the words of one door; None where that door does not have it.
Spell = Callable[[str, str | None], str | None]


class PyroError(Exception):
    """What went wrong in one line (`brief`), what is known about it (`details`), and what to do next (`hint`).

    Where it is raised without a hint, the kind of error has one: nobody is left without a next step. A hint names operations
    and arguments by their marked names, `<<workspace_list>>` or `<<overwrite=true>>`; `hint` has them plain, as the SDK has
    arguments, `hint_for` as a door spells them.
    """

    code: ClassVar[str] = "error"
    exit_status: ClassVar[int] = 1
    usual_hint: ClassVar[str] = "Ask again; when it stays, report it."

    def __init__(self, brief: str, *, details: str | None = None, hint: str | None = None) -> None:
        super().__init__(brief)
        self.brief = brief
        self.details = details
        self._hint = hint or self.usual_hint

    @property
    def hint(self) -> str:
        """What to do next."""
        return self.hint_for(plainly)

    @hint.setter
    def hint(self, hint: str) -> None:
        self._hint = hint

    def hint_for(self, spell: Spell) -> str:
        """The same in the words of a door; a sentence about what that door does not have is left out."""
        sentences = re.split(r"(?<=[.;?]) ", self._hint)
        told = [said for sentence in sentences if (said := _spelt(sentence, spell)) is not None]
        return " ".join(told).removesuffix(";") or self.usual_hint

    def rewrite(self, text: Callable[[str], str]) -> None:
        """Say it in other words: each part becomes what `text` makes of it."""
        self.brief = text(self.brief)
        self.details = self.details and text(self.details)
        self._hint = text(self._hint)
        self.args = (self.brief,)

    def __str__(self) -> str:
        parts = (self.brief, self.details, self.hint and f"hint: {self.hint}")
        return "\n".join(part for part in parts if part)


def plainly(name: str, value: str | None) -> str:
    """Spell what a hint names as it is called."""
    return name if value is None else f"{name}={value}"


def _spelt(sentence: str, spell: Spell) -> str | None:
    names = {mark[0]: spell(mark["name"], mark["value"]) for mark in _MARK.finditer(sentence)}
    if None in names.values():
        return None
    return _MARK.sub(lambda mark: names[mark[0]] or "", sentence)


class InvalidRequest(PyroError):
    """The request makes no sense as it stands; nothing was started. Correct it and ask again."""

    code = "invalid_request"
    exit_status = 2
    usual_hint = "Correct it and ask again: nothing was done."


class NotFound(PyroError):
    """The thing named does not exist. Look at the list, or at the near names in the hint."""

    code = "not_found"
    exit_status = 3
    usual_hint = "List what there is, and name one of those."


class Conflict(PyroError):
    """Something else stands in the way: a name taken, a lock held, content that changed. Look again, then retry."""

    code = "conflict"
    exit_status = 4
    usual_hint = "Look at how things stand now, then ask again."


class HostUnfit(PyroError):
    """This host cannot do it as it is: a program, permission or facility is missing. The hint names the remedy."""

    code = "host_unfit"
    exit_status = 5
    usual_hint = "`pyro doctor` tells what this host lacks, and how to fix it."


class GuestFailed(PyroError):
    """The machine or its agent failed, not the command in it. Try again; its logs are in the details."""

    code = "guest_failed"
    exit_status = 6
    usual_hint = "Ask again: a machine that ended starts anew, and what was acknowledged is on its disk."


class OutcomeUnknown(PyroError):
    """The line broke after the request was sent: it may or may not have happened. Look before retrying."""

    code = "outcome_unknown"
    exit_status = 7
    usual_hint = "Look whether it happened before you ask again."


class PolicyDenied(PyroError):
    """The user's own rules forbid it. Only the user can change them."""

    code = "policy_denied"
    exit_status = 8
    usual_hint = "Only the user can allow it."


class LimitReached(PyroError):
    """A bound was met: memory, disk, size or time. Free some, or ask for less."""

    code = "limit_reached"
    exit_status = 9
    usual_hint = "Free some, or ask for less."


def exit_status_of(code: str) -> int:
    """Give the exit status that belongs to an error's code."""
    return next((kind.exit_status for kind in PyroError.__subclasses__() if kind.code == code), 1)
