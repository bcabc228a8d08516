"""Greet an agent over a fresh line and wait until it echoes."""

from __future__ import annotations

import os
import select
import socket
from collections.abc import Callable
from contextlib import suppress

from pyro_mcp.errors import GuestFailed
from pyro_mcp.host.waiting import WaitedTooLong, wait_until
from pyro_wire.events import Greeted
from pyro_wire.frames import ProtocolError
from pyro_wire.mux import Mux

# Between two looks at whether the machine still lives; the greeting itself is noticed at once.
_LOOK_SECONDS = 0.1


def greet(line: socket.socket, still_possible: Callable[[], None]) -> Mux:
    """Give the greeted mux of a line; `still_possible` raises the real cause once waiting makes no sense."""
    mux = Mux(initiator=True)
    mux.hello(os.urandom(16).hex())
    while not mux.greeted:
        wants = select.POLLIN | (select.POLLOUT if mux.backlog else 0)
        poll = select.poll()
        poll.register(line, wants)
        happened = dict(poll.poll(_LOOK_SECONDS * 1000)).get(line.fileno(), 0)
        still_possible()
        if happened & select.POLLOUT:
            _send(line, mux)
        if happened & (select.POLLIN | select.POLLHUP):
            _receive(line, mux, still_possible)
    return mux


def _send(line: socket.socket, mux: Mux) -> None:
    """A line that is closed is noticed, and explained, when it is read."""
    try:
        mux.wrote(line.send(mux.outgoing(), socket.MSG_DONTWAIT))
    except OSError:
        mux.hung_up()


def _receive(line: socket.socket, mux: Mux, still_possible: Callable[[], None]) -> None:
    try:
        data = line.recv(65536)
    except OSError:
        data = b""
    if not data:
        # The line closes a moment before its machine's end can be seen, and that end tells more.
        with suppress(WaitedTooLong):
            wait_until(lambda: None, what="the machine to end", timeout=1.0, still_possible=still_possible)
        raise GuestFailed("the machine closed its line before it answered")
    try:
        happened = mux.receive(data)
    except ProtocolError as error:
        raise GuestFailed("the machine does not speak our protocol", details=str(error)) from error
    if any(not isinstance(event, Greeted) for event in happened):
        raise GuestFailed("the machine spoke before it was asked")
