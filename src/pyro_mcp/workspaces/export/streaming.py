"""What `tree.read` sends: a line for each entry, each file's followed by its bytes. Taken apart as it comes, without I/O."""

from __future__ import annotations

from typing import Protocol

from pyro_mcp.errors import GuestFailed, InvalidRequest
from pyro_wire import messages
from pyro_wire.messages import Message, MessageError

# What describes an entry: two paths of 4 KiB, each byte escaped, and a few numbers.
_LONGEST_LINE = 64 << 10


class Taker(Protocol):
    """Who takes what is in the stream."""

    def entry(self, record: Message) -> int:
        """Take an entry; tell how many bytes of content follow. MessageError and InvalidRequest: it makes no sense."""

    def content(self, part: bytes) -> None:
        """Take the next bytes of the last entry's content."""

    def ended(self) -> None:
        """Know that the last entry is complete."""


class TreeStream:
    """Takes a guest's `tree.read` apart, in pieces of any size. Raises GuestFailed for what no honest guest sends."""

    def __init__(self, taker: Taker) -> None:
        self._taker = taker
        self._line = b""
        self._left = 0  # so many bytes of a file are still to come

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        data, at = self._line + data, 0
        while at < len(data):
            if self._left:
                part = data[at : at + self._left]
                at += len(part)
                self._content(part)
                continue
            end = data.find(b"\n", at)
            if end < 0:
                break
            self._entry(data[at:end])
            at = end + 1
        self._line = data[at:]
        if len(self._line) > _LONGEST_LINE:
            raise nonsense("a line without an end")

    def end(self) -> None:
        """Raise GuestFailed unless all that was announced has come."""
        if self._left or self._line:
            raise nonsense("it ends in the middle of a file or a line")

    def _entry(self, line: bytes) -> None:
        try:
            self._left = self._taker.entry(messages.unpack(line))
        except (MessageError, InvalidRequest) as error:
            raise nonsense(str(error)) from error
        if not self._left:
            self._taker.ended()

    def _content(self, part: bytes) -> None:
        self._left -= len(part)
        self._taker.content(part)
        if not self._left:
            self._taker.ended()


def nonsense(details: str) -> GuestFailed:
    """Give the error for a machine that lies about its files, or is broken."""
    return GuestFailed("the machine described its files in a way that makes no sense", details=details)
