"""Questions and answers of the domain name system (RFC 1035): as much as one machine's resolver needs, without I/O."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass

A, AAAA, ANY = 1, 28, 255
_INTERNET = 1
NO_ERROR, FORMAT_ERROR, SERVER_FAILURE, NO_SUCH_NAME, NOT_IMPLEMENTED = 0, 1, 2, 3, 4
_RESPONSE, _AUTHORITATIVE, _RECURSION_DESIRED, _RECURSION_AVAILABLE = 0x8000, 0x0400, 0x0100, 0x0080
_OPCODE = 0x7800
_HEADER = struct.Struct("!HHHHHH")
_LONGEST_NAME = 253
# A program that keeps an answer for longer than we keep the name would connect to nobody.
SECONDS = 30


@dataclass(frozen=True, slots=True)
class Question:
    """One question; `name` is in lower case, without the last dot, with anything unusual escaped."""

    number: int
    flags: int
    name: str
    kind: int
    raw: bytes  # as it came, for the answer

    @property
    def wants_address(self) -> bool:
        """Tell whether an IPv4 address answers it."""
        return self.kind in (A, ANY)


class Unreadable(ValueError):
    """Not a question that can be answered with anything but a refusal, which is `reply` (empty: nothing)."""

    def __init__(self, reply: bytes = b"") -> None:
        super().__init__("not a question")
        self.reply = reply


def read(message: bytes) -> Question:
    """Read a query; raise Unreadable for anything else."""
    if len(message) < _HEADER.size:
        raise Unreadable
    number, flags, questions, *_ = _HEADER.unpack_from(message)
    if flags & _RESPONSE:
        raise Unreadable
    if flags & _OPCODE or questions != 1:
        code = NOT_IMPLEMENTED if flags & _OPCODE else FORMAT_ERROR
        raise Unreadable(_HEADER.pack(number, _flags(flags, code), 0, 0, 0, 0))
    try:
        name, end = _name(message, _HEADER.size)
        kind, network = struct.unpack_from("!HH", message, end)
    except (IndexError, struct.error, ValueError):
        raise Unreadable(_HEADER.pack(number, _flags(flags, FORMAT_ERROR), 0, 0, 0, 0)) from None
    raw = message[_HEADER.size : end + 4]
    if network not in (_INTERNET, ANY):
        kind = 0
    return Question(number, flags, name, kind, raw)


def answer(question: Question, code: int, address: str | None = None) -> bytes:
    """Give the reply: a code, and an IPv4 address where there is one."""
    count = 1 if address is not None else 0
    head = _HEADER.pack(question.number, _flags(question.flags, code), 1, count, 0, 0)
    if address is None:
        return head + question.raw
    # 0xC00C: the name that stands at the beginning of the question
    record = struct.pack("!HHHIH", 0xC00C, A, _INTERNET, SECONDS, 4) + socket.inet_aton(address)
    return head + question.raw + record


def _flags(asked: int, code: int) -> int:
    return _RESPONSE | _AUTHORITATIVE | _RECURSION_AVAILABLE | (asked & (_OPCODE | _RECURSION_DESIRED)) | code


def _name(message: bytes, position: int) -> tuple[str, int]:
    """Read a name without compression, which no question has; return it and where it ends."""
    labels = []
    while size := message[position]:
        if size > 63 or position + size + 1 > len(message):
            raise ValueError("not a label")
        labels.append(message[position + 1 : position + 1 + size])
        position += size + 1
    name = b".".join(labels).lower().decode("ascii", "backslashreplace")
    if len(name) > _LONGEST_NAME:
        raise ValueError("the name is too long")
    return name, position + 1
