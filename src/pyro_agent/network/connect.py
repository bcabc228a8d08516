"""Verb `connect`: one TCP connection to a port of this machine, carried over the line, each direction ended by itself."""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections import deque

from pyro_agent.base.loop import GONE, READ, WRITE, Timer
from pyro_agent.requests.request import Request
from pyro_wire import messages
from pyro_wire.faults import Fault
from pyro_wire.messages import Message
from pyro_wire.mux import DATA_PIECE

# Many servers listen on `localhost` alone, which is either of these.
_LOOPBACKS = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
# A listener whose backlog is full leaves a SYN unanswered: then somebody else should hear of it soon.
_CONNECT_S = 10.0
_BUFFER = memoryview(bytearray(2 * DATA_PIECE))
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER with no patience: closing sends a RST


class Connect(Request):
    """One connection from request to answer: a control says when it stands, the answer that both sides have ended it."""

    _socket: socket.socket | None = None
    _timer: Timer | None = None

    def start(self, message: Message) -> None:
        """Connect to `port` on the loopback."""
        self._port = messages.integer(message, "port", low=1, high=65535)
        self._left = list(_LOOPBACKS)
        self._waiting: deque[memoryview] = deque()  # at most one window: credit follows what was written
        self._connected = self._ending = self._said_all = self._heard_all = False
        self._timer = self.machine.loop.after(_CONNECT_S, lambda: self.guarded(self._give_up))
        self._try_next()

    def on_data(self, payload: bytes) -> None:
        """Pass bytes on to the server."""
        self._waiting.append(memoryview(payload))
        if self._connected:
            self._flush()

    def on_ended(self) -> None:
        """Tell the server that no more comes, once it has all."""
        self._ending = True
        if self._connected:
            self._flush()

    def on_cancel(self) -> None:
        """Reset the connection."""
        self.fail(Fault("conflict", "the connection was given up"))

    def on_turn(self) -> None:
        """Read only what the host takes; a direction that is over is not watched."""
        if self._socket is None:
            return
        mask = READ if self._connected and not self._heard_all and self.room else 0
        mask |= WRITE if self._waiting or not self._connected else 0
        if mask:
            self.machine.loop.watch(self._socket.fileno(), mask, self._ready)
        else:
            self.machine.loop.forget(self._socket.fileno())
        # What waits for room must look again each turn; all else is woken by its socket or by the host.
        self.resting = bool(mask & READ) or self._heard_all

    def release(self) -> None:
        """Close the connection; one that did not end on both sides is reset, so that the server knows."""
        if self._timer is not None:
            self._timer.cancel()
        if self._socket is not None:
            if not (self._said_all and self._heard_all):
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self._close_socket(self._socket)

    # -- inside -------------------------------------------------------------------------------------------------

    def _try_next(self) -> None:
        family, address = self._left.pop(0)
        try:
            self._socket = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        except OSError as error:
            self._refused(error.errno or 0)
            return
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        result = self._socket.connect_ex((address, self._port))
        if result not in (0, errno.EINPROGRESS):
            self._refused(result)

    def _refused(self, number: int) -> None:
        if self._socket is not None:
            self._close_socket(self._socket)
        if self._left:
            self._try_next()
        else:
            self.fail(Fault("not_found", f"nothing listens on port {self._port}: {os.strerror(number)}"))

    def _close_socket(self, ended: socket.socket) -> None:
        self._socket = None
        self.machine.loop.forget(ended.fileno())
        ended.close()

    def _give_up(self) -> None:
        if not self._connected:
            self.fail(Fault("limit_reached", f"port {self._port} accepts no connection"))

    def _ready(self, ready: int) -> None:
        self.guarded(lambda: self._move(ready))

    def _move(self, ready: int) -> None:
        assert self._socket is not None
        if not self._connected:
            number = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if number:
                self._refused(number)
                return
            self._connected = True
            self._mux.control(self.stream, {"connected": True})
        if ready & (READ | GONE):
            self._read()
        if self.open:
            self._flush()

    def _read(self) -> None:
        assert self._socket is not None
        if self._heard_all or not self.room:
            return
        try:
            count = self._socket.recv_into(_BUFFER[: self.room])
        except BlockingIOError:
            return
        except OSError as error:
            self._broke(error)
            return
        if count:
            self.send(1, _BUFFER[:count])
        else:
            self._heard_all = True
            self.end(1)
            self._finish()

    def _flush(self) -> None:
        assert self._socket is not None
        try:
            while self._waiting:
                head = self._waiting[0]
                written = self._socket.send(head)
                self._waiting.popleft()
                if written < len(head):
                    self._waiting.appendleft(head[written:])
                self.consumed(written)
            if self._ending and not self._said_all:
                self._said_all = True
                self._socket.shutdown(socket.SHUT_WR)
        except BlockingIOError:
            return
        except OSError as error:
            self._broke(error)
            return
        self._finish()

    def _finish(self) -> None:
        if self._said_all and self._heard_all:
            self.answer({})

    def _broke(self, error: OSError) -> None:
        self.fail(Fault("conflict", f"the connection broke: {error.strerror}"))
