"""What a transaction is made of: operations as the host sends them, and the steps they are carried out in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from pyro_wire import messages
from pyro_wire.messages import Message, MessageError

_OPERATIONS = frozenset({"write", "symlink", "mkdir", "remove", "move", "chmod"})
_LARGEST = 2**62
_LONGEST_TARGET = 4095


@dataclass(frozen=True, slots=True)
class Expectation:
    """What must be true of a path before anything changes."""

    sha256: str | None = None
    present: bool | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """One line of a `tree.apply`."""

    op: str
    path: str
    to: str = ""
    mode: int | None = None
    target: str = ""
    size: int = 0
    recursive: bool = False
    if_empty: bool = False
    expect: Expectation = Expectation()

    @classmethod
    def from_message(cls, message: Message) -> Operation:
        """Check every field; raise MessageError for the first that is wrong."""
        op = messages.text(message, "op")
        if op not in _OPERATIONS:
            raise MessageError(f"op: there is no {op[:40]!r}")
        target = messages.text(message, "target") if op == "symlink" else ""
        if op == "symlink" and not 0 < len(target.encode("utf-8", "surrogateescape")) <= _LONGEST_TARGET:
            raise MessageError("target: 1 to 4095 bytes belong here")
        mode = messages.optional_integer(message, "mode", low=0, high=0o7777)
        if op == "chmod" and mode is None:
            raise MessageError("mode: missing")
        return cls(
            op=op,
            path=messages.text(message, "path"),
            to=messages.text(message, "to") if op == "move" else "",
            mode=mode,
            target=target,
            size=messages.integer(message, "size", low=0, high=_LARGEST) if op == "write" else 0,
            recursive=messages.flag(message, "recursive", default=False),
            if_empty=messages.flag(message, "if_empty", default=False),
            expect=_expectation(message.get("expect")),
        )


def _expectation(value: object) -> Expectation:
    if value is None:
        return Expectation()
    if not isinstance(value, dict):
        raise MessageError("expect: an object belongs here")
    if messages.flag(value, "absent", default=False):
        return Expectation(present=False)
    digest = messages.optional_text(value, "sha256")
    present = messages.flag(value, "present", default=False) or digest is not None
    return Expectation(sha256=digest, present=True if present else None)


class Step(NamedTuple):
    """One idempotent change; paths have no links in them and begin at the workspace's root.

    put: move what was staged as `source` to `path`. make: a directory. remove: whatever is there, all of it.
    move: rename `source` to `path`. mode: set it.
    """

    do: str
    path: str
    source: str = ""
    mode: int = 0
    uid: int = 0
    gid: int = 0
