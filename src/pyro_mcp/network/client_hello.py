"""Read the server's name out of the first bytes of a TLS connection (RFC 8446, RFC 6066), as they trickle in."""

from __future__ import annotations

from enum import Enum

_HANDSHAKE, _CLIENT_HELLO, _SERVER_NAME, _HOST_NAME = 22, 1, 0, 0
# Post-quantum key shares make a greeting of 2 KiB; nobody's needs more than this.
_LONGEST = 16 * 1024


class Finding(Enum):
    """What the bytes are, where they name no server."""

    MORE = "more bytes are needed"
    NOT_TLS = "not TLS"
    NO_NAME = "TLS without a server's name"
    BROKEN = "begins like TLS and is not"


def server_name(data: bytes) -> str | Finding:
    """Give the name that the client asks for, or what can be said instead."""
    if not data:
        return Finding.MORE
    if data[0] != _HANDSHAKE:
        return Finding.NOT_TLS
    try:
        greeting = _greeting(data)
        return Finding.MORE if greeting is None else _name_in(greeting)
    except (IndexError, ValueError):
        return Finding.BROKEN


def _greeting(data: bytes) -> bytes | None:
    """Put the ClientHello together, which may be spread over records; None while a part is missing."""
    message, position = b"", 0
    while True:
        if len(message) >= 4:
            if message[0] != _CLIENT_HELLO:
                raise ValueError("not a greeting")
            size = 4 + int.from_bytes(message[1:4], "big")
            if size > _LONGEST:
                raise ValueError("too long")
            if len(message) >= size:
                return message[4:size]
        head = data[position : position + 5]
        if head and (head[0] != _HANDSHAKE or head[1:2] not in (b"", b"\x03")):
            raise ValueError("not a handshake record")
        if len(head) < 5:
            return None
        length = int.from_bytes(head[3:5], "big")
        if not 0 < length <= _LONGEST:
            raise ValueError("a record of no such length")
        part = data[position + 5 : position + 5 + length]
        message += part
        position += 5 + length
        if len(part) < length and not _complete(message):
            return None


def _complete(message: bytes) -> bool:
    return len(message) >= 4 and len(message) >= 4 + int.from_bytes(message[1:4], "big")


class _Reader:
    """Vectors of a TLS message, one after another."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    def take(self, count: int) -> bytes:
        part = self._data[self._position : self._position + count]
        if len(part) < count:
            raise ValueError("cut short")
        self._position += count
        return part

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def vector(self, size: int) -> bytes:
        return self.take(self.number(size))

    @property
    def over(self) -> bool:
        return self._position >= len(self._data)


def _name_in(greeting: bytes) -> str | Finding:
    reader = _Reader(greeting)
    reader.take(2 + 32)  # version, random
    reader.vector(1)  # session
    reader.vector(2)  # cipher suites
    reader.vector(1)  # compression
    if reader.over:
        return Finding.NO_NAME
    extensions = _Reader(reader.vector(2))
    found: str | Finding = Finding.NO_NAME
    while not extensions.over:
        kind, content = extensions.number(2), extensions.vector(2)
        if kind == _SERVER_NAME:
            if found is not Finding.NO_NAME:
                raise ValueError("two lists of names")
            found = _first_name(content)
    return found


def _first_name(content: bytes) -> str:
    names = _Reader(_Reader(content).vector(2))
    kind, name = names.number(1), names.vector(2)
    if kind != _HOST_NAME or not names.over:
        raise ValueError("not exactly one host's name")
    return name.decode("ascii", "backslashreplace")
