"""A machine's way out: names and connections that the agent asks for, decided and carried out here.

The agent is part of the guest and is believed nothing: whatever it asks for is judged by name, resolved here, judged by the very
address that is then connected to, counted, and bounded.
"""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from pyro_mcp.keeper.decisions import Decision, Decisions, Outcome
from pyro_mcp.keeper.loop import WRITE, Loop
from pyro_mcp.keeper.outbound import Backlog, Outbound
from pyro_mcp.keeper.plan import Network
from pyro_mcp.keeper.resolver import Resolver, is_own
from pyro_mcp.keeper.switchboard import AgentEvent, Client, Open, Switchboard
from pyro_mcp.network.destinations import Address, parse_destination
from pyro_mcp.network.policy import Policy, parse_mode
from pyro_mcp.network.ranges import meant
from pyro_mcp.redaction import Redactor
from pyro_wire import events, messages
from pyro_wire.faults import Fault
from pyro_wire.messages import Message, MessageError

_MOST_CONNECTIONS = 256
# New connections to the world: a burst, then so many a second. More wait; the guest's own queue fills, nothing else does.
_BURST, _PER_SECOND = 300, 50
_CONNECT_SECONDS = 10.0
_SHOWN_NAME = 253


class Egress:
    """Serves the streams that the agent opens."""

    def __init__(self, loop: Loop, board: Switchboard, network: Network, redactor: Redactor) -> None:
        self._loop = loop
        self._board = board
        self._policy = Policy.of(parse_mode(network.policy), network.allow_hosts)
        self._resolver = Resolver(loop)
        self._redactor = redactor
        self._decisions = Decisions(Path(network.record) if network.record else None, loop.after)
        self.backlog = Backlog()
        self._open: set[_Attempt] = set()
        self._tokens, self._filled_at = float(_BURST), time.monotonic()

    def opened(self, stream: int, message: Message) -> AgentEvent | None:
        """Take a request of the agent's; None where it has been answered."""
        try:
            verb = messages.text(message, "verb")
            if verb == "egress.name":
                return self._name(stream, messages.text(message, "name"))
            if verb == "egress.connect":
                port = messages.integer(message, "port", low=1, high=65535)
                return self._connect(stream, messages.text(message, "host"), port)
            fault = Fault("invalid_request", f"the keeper knows no verb {verb[:40]!r}")
        except MessageError as error:
            fault = Fault("invalid_request", str(error))
        self._board.answer_agent(stream, fault)
        return None

    def verbs(self) -> Mapping[str, Open]:
        """`keeper.decisions`: have what was decided so far in its file."""
        return {"keeper.decisions": self._write_decisions}

    @property
    def busy(self) -> bool:
        """A connection out does not hold the idle clock: a forgotten daemon's would hold it for ever."""
        return False

    def ended(self, reason: str) -> None:
        """End every connection, and write down what was decided."""
        for attempt in list(self._open):
            attempt.give_up()
        self._resolver.close()
        self._decisions.flush()

    def _write_decisions(self, client: Client, stream: int, _: Message) -> None:
        self._decisions.flush()
        client.answer(stream, {})

    # -- names --------------------------------------------------------------------------------------------------------

    def _name(self, stream: int, given: str) -> AgentEvent | None:
        name = parse_destination(given)
        judged = self._policy.judge(name, None)
        if name is None or not judged.allowed:
            self.note("refused", given, None, reason=judged.reason)
            self._board.answer_agent(stream, Fault("policy_denied", judged.reason))
            return None
        if not isinstance(name, str):  # the host's own name
            self._board.answer_agent(stream, {"found": True})
            return None

        def then(addresses: tuple[Address, ...]) -> None:
            self.note(
                "allowed" if addresses else "failed", name, None, reason="" if addresses else "no such name"
            )
            self._board.answer_agent(stream, {"found": bool(addresses)})

        if not self._resolver.resolve(name, then):
            self.note("failed", name, None, reason="too many names at once")
            self._board.answer_agent(stream, Fault("limit_reached", "too many names at once"))
        return lambda _: None

    # -- connections --------------------------------------------------------------------------------------------------

    def _connect(self, stream: int, given: str, port: int) -> AgentEvent | None:
        destination = parse_destination(given)
        judged = self._policy.judge(destination, port)
        if destination is None or not judged.allowed:
            self.refuse(stream, given, port, judged.reason)
            return None
        if len(self._open) >= _MOST_CONNECTIONS:
            self.refuse(
                stream,
                given,
                port,
                f"more than {_MOST_CONNECTIONS} connections at once",
                code="limit_reached",
            )
            return None
        called = destination if isinstance(destination, str) else given
        attempt = _Attempt(self, self._loop, self._board, stream, called, port)
        if judged.by_name:
            attempt.judge_name = self._judge_server_name(port)
        self._open.add(attempt)
        if not isinstance(destination, str):
            attempt.begin((destination,))
        elif not self._resolver.resolve(destination, attempt.begin):
            attempt.fail("too many names at once")
        return attempt.from_agent

    def _judge_server_name(self, port: int) -> Callable[[str], str | None]:
        def judge(name: str) -> str | None:
            judged = self._policy.judge_server_name(name, port)
            return None if judged.allowed else judged.reason

        return judge

    def address_fault(self, address: Address, port: int) -> str | None:
        """Say why an address must not be connected to."""
        return self._policy.address_fault(address, port, lambda asked: is_own(meant(asked)))

    def turn(self) -> float:
        """Take one of the connections that are allowed a second; tells how many seconds to wait for it."""
        now = time.monotonic()
        self._tokens = min(float(_BURST), self._tokens + (now - self._filled_at) * _PER_SECOND) - 1
        self._filled_at = now
        return max(0.0, -self._tokens / _PER_SECOND)

    def refuse(self, stream: int, host: str, port: int, reason: str, code: str = "policy_denied") -> None:
        """Say no, and write it down."""
        self.note("refused", host, port, reason=reason)
        self._board.answer_agent(stream, Fault(code, reason))

    def note(
        self, outcome: Outcome, host: str, port: int | None, *, address: str | None = None, reason: str = ""
    ) -> None:
        """Write a decision down."""
        host, reason = self._redactor.text(host[:_SHOWN_NAME]), self._redactor.text(reason)
        self._decisions.note(Decision(outcome, host, port, address, reason))

    def over(self, attempt: _Attempt) -> None:
        """Learn that a connection is over."""
        self._open.discard(attempt)


class _Attempt:
    """One connection, from the question to the end: resolve, judge the addresses, connect to one, relay."""

    def __init__(
        self, egress: Egress, loop: Loop, board: Switchboard, stream: int, host: str, port: int
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
