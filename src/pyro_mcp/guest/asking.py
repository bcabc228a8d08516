"""Ask an agent over a line of our own, before there is a keeper's loop: one question at a time, data ignored."""

from __future__ import annotations

import socket
from collections.abc import Callable

from pyro_mcp.errors import GuestFailed
from pyro_mcp.guest.faults import error_from
from pyro_wire.events import Answered, Data, Ended, Failed
from pyro_wire.frames import ProtocolError
from pyro_wire.messages import Message
from pyro_wire.mux import Mux

# Between two looks at whether the machine still lives; an answer is noticed at once.
_LOOK_SECONDS = 0.1


def ask(line: socket.socket, mux: Mux, message: Message, still_possible: Callable[[], None]) -> Message:
    """Give the answer to one request; raises the typed error of a fault, or what `still_possible` raises."""
    stream = mux.open(message)
    line.settimeout(_LOOK_SECONDS)
    while True:
        still_possible()
        for event in _exchange(line, mux):
            if isinstance(event, Failed) and event.stream == stream:
                raise error_from(event.fault)
            if isinstance(event, Answered) and event.stream == stream:
                return event.message
            if isinstance(event, Data) and event.stream in mux:
                mux.consumed(event.stream, len(event.payload))
            elif not isinstance(event, Data | Ended):
                raise GuestFailed("the machine spoke before it was asked")


def _exchange(line: socket.socket, mux: Mux) -> list[object]:
    try:
        while mux.backlog:
            mux.wrote(line.send(mux.outgoing()))
        data = line.recv(65536)
    except TimeoutError:
        return []
    except OSError as error:
        raise GuestFailed("the machine closed its line", details=str(error)) from error
    if not data:
        raise GuestFailed("the machine closed its line")
    try:
        return list(mux.receive(data))
    except ProtocolError as error:
        raise GuestFailed("the machine does not speak our protocol", details=str(error)) from error
