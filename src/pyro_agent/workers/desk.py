"""What goes on inside a worker: it takes one job after the other, and gives bytes and an answer for each.

Agent and worker speak in packets of one letter and a payload. To the worker: Job, Data, End, eXit (give up). From it:
Data, then Answer or Fault.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable

from pyro_agent.base.unforeseen import unexpected
from pyro_wire import messages
from pyro_wire.faults import Fault, FaultError
from pyro_wire.messages import Message, MessageError
from pyro_wire.mux import DATA_PIECE

JOB, DATA, END, GIVE_UP, ANSWER, FAULT = b"JDEXAF"
LARGEST = DATA_PIECE + 1
# Lines longer than any operation with two paths of 4 KiB, each byte escaped.
_LONGEST_LINE = 64 * 1024

Job = Callable[[Message, "Desk"], Message]


class GivenUp(Exception):
    """The host wants it no more."""


class Desk:
    """A job's way out and in."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._out = bytearray(b"D")
        self._in = bytearray()
        self._ended = False

    def put(self, data: bytes | bytearray | memoryview) -> None:
        """Send bytes on channel 1; small ones are gathered."""
        if len(self._out) + len(data) <= LARGEST:
            self._out += data
            return
        with memoryview(data) as rest:
            while len(rest):
                room = LARGEST - len(self._out)
                self._out += rest[:room]
                rest = rest[room:]
                if len(self._out) == LARGEST:
                    self.flush()

    def put_line(self, message: Message) -> None:
        """Send one JSON line."""
        self.put(json.dumps(message, separators=(",", ":")).encode("ascii") + b"\n")

    def flush(self) -> None:
        """Send what was gathered."""
        if len(self._out) > 1:
            self._line.send(self._out)
            self._out = bytearray(b"D")

    def take_line(self) -> Message | None:
        """Read a JSON line of the body; None at its end."""
        while (end := self._in.find(b"\n")) < 0:
            if len(self._in) > _LONGEST_LINE:
                raise MessageError("a line of the body is longer than 64 KiB")
            if not self._fill():
                if self._in:
                    raise MessageError("the body ends in the middle of a line")
                return None
        line = bytes(self._in[:end])
        del self._in[: end + 1]
        return messages.unpack(line)

    def take(self, most: int) -> bytes:
        """Read some bytes of the body, at most so many."""
        if not self._in and not self._fill():
            raise MessageError("the body ends in the middle of a file")
        if len(self._in) <= most:
            data = bytes(self._in)
            self._in = bytearray()
        else:
            data = bytes(self._in[:most])
            del self._in[:most]
        return data

    def _fill(self) -> bool:
        if self._ended:
            return False
        packet = self._line.recv(LARGEST)
        if not packet or packet[0] == GIVE_UP:
            raise GivenUp
        if packet[0] == END:
            self._ended = True
            return False
        self._in += memoryview(packet)[1:]
        return True


def serve(line: socket.socket, jobs: dict[str, Job]) -> None:
    """Do jobs until the agent closes the line."""
    while packet := line.recv(LARGEST):
        if packet[0] == JOB:
            line.send(_carry_out(line, jobs, messages.unpack(packet[1:])))


def _carry_out(line: socket.socket, jobs: dict[str, Job], message: Message) -> bytes:
    desk = Desk(line)
    try:
        answer = messages.pack(jobs[messages.text(message, "verb")](message, desk))
        desk.flush()
        return b"A" + answer
    except FaultError as error:
        fault = error.fault
    except MessageError as error:
        fault = Fault("invalid_request", str(error))
    except GivenUp:
        fault = Fault("conflict", "it was cancelled")
    except OSError as error:
        path = error.filename if isinstance(error.filename, str) else ""
        fault = Fault("guest_failed", f"{path}: {os.strerror(error.errno or 0)}" if path else str(error))
    except Exception as error:  # noqa: BLE001  (the worker outlives any job)
        fault = unexpected(error)
    desk.flush()
    return b"F" + messages.pack(fault.to_message())
