"""A machine's way out: names and connections that the agent asks for, decided and carried out here.

The agent is part of the guest and is believed nothing: whatever it asks for is judged by name, resolved here, judged by the very
address that is then connected to, counted, and bounded.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from pyro_mcp.keeper.egress.attempts import Attempt
from pyro_mcp.keeper.egress.decisions import Decision, Decisions, Line, Outcome
from pyro_mcp.keeper.egress.outbound import Backlog
from pyro_mcp.keeper.egress.resolver import Resolver, is_own
from pyro_mcp.keeper.lines.loop import Loop
from pyro_mcp.keeper.lines.switchboard import AgentEvent, Client, Open, Switchboard
from pyro_mcp.keeper.plan import Network
from pyro_mcp.network.destinations import Address, parse_destination
from pyro_mcp.network.policy import Policy, parse_mode
from pyro_mcp.network.ranges import meant
from pyro_mcp.redaction import Redactor
from pyro_wire import messages
from pyro_wire.faults import Fault
from pyro_wire.messages import Message, MessageError

_MOST_CONNECTIONS = 256
# New connections to the world: a burst, then so many a second. More wait; the guest's own queue fills, nothing else does.
_BURST, _PER_SECOND = 300, 50
_SHOWN_NAME, _SHOWN_TEXT = 253, 300
_TCP_ONLY = "only TCP leaves a machine"
_MOST_STRAYS = 50
_MOST_COUNTED = 1_000_000_000


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
        self._open: set[Attempt] = set()
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
            if verb == "egress.strays":
                self._note_strays(stream, message)
                return None
            fault = Fault("invalid_request", f"the keeper knows no verb {verb[:40]!r}")
        except MessageError as error:
            fault = Fault("invalid_request", str(error))
        self._board.answer_agent(stream, fault)
        return None

    def verbs(self) -> Mapping[str, Open]:
        """`keeper.decisions`: have what was decided so far in its file; where there is none, it is the answer."""
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

    def refused_since(self, moment: float) -> list[Line]:
        """Give what was refused after a moment of time.monotonic(), as far as an answer has room for it."""
        return self._decisions.refused_since(moment)

    def _write_decisions(self, client: Client, stream: int, _: Message) -> None:
        self._decisions.flush()
        client.answer(stream, {"decisions": self._decisions.kept()})

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

    def _note_strays(self, stream: int, message: Message) -> None:
        """Write down what was sent and is no TCP connection: it led nowhere, whatever the policy."""
        for protocol, address, port, count in _strays(message):
            reason = f"{self._shown(protocol)}: {_TCP_ONLY}"
            self._decisions.note(
                Decision("refused", self._shown(address), port or None, reason=reason), count
            )
        others = messages.integer(message, "others", low=0, high=_MOST_COUNTED)
        if others:
            self._decisions.note(Decision("refused", "(various)", None, reason=_TCP_ONLY), others)
        self._board.answer_agent(stream, {})

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
        attempt = Attempt(self, self._loop, self._board, stream, called, port)
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
        self._decisions.note(Decision(outcome, self._shown(host), port, address, self._shown(reason)))

    def _shown(self, text: str) -> str:
        """What a guest calls things is shown to people: without secrets, without anything that a terminal would act on."""
        return self._redactor.text(text[:_SHOWN_NAME]).encode("unicode_escape").decode()[:_SHOWN_TEXT]

    def over(self, attempt: Attempt) -> None:
        """Learn that a connection is over."""
        self._open.discard(attempt)


def _strays(message: Message) -> Iterator[tuple[str, str, int, int]]:
    """Read what the agent says of them: protocol, address, port (0: none), number."""
    told = message.get("strays")
    if not isinstance(told, list) or len(told) > _MOST_STRAYS:
        raise MessageError(f"strays: a list of at most {_MOST_STRAYS} belongs here")
    for item in told:
        if not isinstance(item, list) or len(item) != 4:
            raise MessageError("strays: a protocol, an address, a port and a number belong here")
        named = dict(zip(("protocol", "address", "port", "count"), item, strict=True))
        yield (
            messages.text(named, "protocol")[:20],
            messages.text(named, "address")[:_SHOWN_NAME],
            messages.integer(named, "port", low=0, high=65535),
            messages.integer(named, "count", low=1, high=_MOST_COUNTED),
        )
