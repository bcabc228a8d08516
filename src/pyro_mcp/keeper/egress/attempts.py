"""One connection that a machine asks for, from the question to the end: resolve, judge the addresses, connect to one, relay."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from pyro_mcp.keeper.egress.decisions import Outcome
from pyro_mcp.keeper.egress.outbound import Backlog, Outbound
from pyro_mcp.keeper.lines.loop import WRITE, Loop
from pyro_mcp.keeper.lines.switchboard import Switchboard
from pyro_mcp.network.destinations import Address
from pyro_wire import events
from pyro_wire.faults import Fault

_CONNECT_SECONDS = 10.0


class Gate(Protocol):
    """What an attempt asks of the machine's egress."""

    backlog: Backlog

    def address_fault(self, address: Address, port: int) -> str | None: ...

    def turn(self) -> float: ...

    def refuse(self, stream: int, host: str, port: int, reason: str, code: str = "policy_denied") -> None: ...

    def note(
        self, outcome: Outcome, host: str, port: int | None, *, address: str | None = None, reason: str = ""
    ) -> None: ...

    def over(self, attempt: Attempt) -> None: ...


class Attempt:
    """The agent's stream, and what becomes of it."""

    def __init__(
        self, egress: Gate, loop: Loop, board: Switchboard, stream: int, host: str, port: int
    ) -> None:
        self._egress = egress
        self._loop = loop
        self._board = board
        self._stream = stream
        self._host, self._port = host, port
        self.judge_name: Callable[[str], str | None] | None = None
        self._addresses: list[Address] = []
        self._socket: socket.socket | None = None
        self._outbound: Outbound | None = None
        self._early = bytearray()  # what the guest sends before it is connected: at most one window
        self._ended = False
        self._over = False

    def begin(self, addresses: Sequence[Address]) -> None:
        """Judge the addresses, and connect to the first that may be."""
        if self._over:
            return
        faults = [self._egress.address_fault(address, self._port) for address in addresses]
        self._addresses = [address for address, fault in zip(addresses, faults, strict=True) if fault is None]
        if not addresses:
            self.fail("no such name")
        elif not self._addresses:
            self._end()
            self._egress.refuse(self._stream, self._host, self._port, str(faults[0]))
        else:
            self._loop.after(self._egress.turn(), self._try_next)

    def from_agent(self, event: events.Event) -> None:
        """Take what happens on the stream."""
        if self._outbound is not None:
            self._outbound.from_agent(event)
        elif isinstance(event, events.Cancelled | events.Failed):
            self._end()
            self._board.answer_agent(self._stream, {"reset": True})
        elif isinstance(event, events.Data):
            self._early += event.payload
            self._egress.backlog.size += len(event.payload)
            if self._egress.backlog.full:
                self.fail("too much waits for servers that do not read")
        elif isinstance(event, events.Ended):
            self._ended = True

    def give_up(self) -> None:
        """End it with the machine."""
        if self._outbound is not None:
            self._outbound.close(reset=True)
        else:
            self._end()

    def fail(self, reason: str, address: Address | None = None) -> None:
        """It was allowed and could not be."""
        self._end()
        shown = None if address is None else str(address)
        self._egress.note("failed", self._host, self._port, address=shown, reason=reason)
        self._board.answer_agent(self._stream, Fault("guest_failed", reason))

    def _try_next(self) -> None:
        if self._over:
            return
        address = self._addresses.pop(0)
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6
        try:
            self._socket = socket.socket(
                family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
            )
            problem = self._socket.connect_ex((str(address), self._port))
        except OSError as error:
            problem = error.errno or errno.EIO
        if problem not in (0, errno.EINPROGRESS) or self._socket is None:
            self._failed(address, problem)
            return
        tried = self._socket
        self._loop.watch(tried, WRITE, lambda _: self._connected(address))
        self._loop.after(_CONNECT_SECONDS, partial(self._too_long, tried, address))

    def _too_long(self, tried: socket.socket, address: Address) -> None:
        if self._socket is tried and self._outbound is None:
            self._failed(address, errno.ETIMEDOUT)

    def _failed(self, address: Address, problem: int) -> None:
        self._drop_socket()
        if self._addresses:
            self._try_next()
        else:
            self.fail(errno.errorcode.get(problem, str(problem)), address)

    def _connected(self, address: Address) -> None:
        assert self._socket is not None
        problem = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if problem:
            self._failed(address, problem)
            return
        self._loop.forget(self._socket)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._egress.note("allowed", self._host, self._port, address=str(address))
        early, self._early = self._early, bytearray()
        self._outbound = Outbound(
            self._loop,
            self._board,
            self._stream,
            self._socket,
            early,
            self._egress.backlog,
            self.judge_name,
            self._relayed,
        )
        if self._ended:
            self._outbound.from_agent(events.Ended(self._stream, 0))
        self._board.agent.update()

    def _relayed(self, refused: str | None) -> None:
        if refused is not None:
            self._egress.note("refused", self._host, self._port, reason=refused)
        self._socket = None
        self._end()

    def _drop_socket(self) -> None:
        if self._socket is not None:
            self._loop.forget(self._socket)
            self._socket.close()
            self._socket = None

    def _end(self) -> None:
        self._over = True
        self._egress.backlog.size -= len(self._early)
        self._early.clear()
        self._drop_socket()
        self._egress.over(self)
