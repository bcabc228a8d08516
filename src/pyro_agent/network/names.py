"""Names for the guest's programs: each gets a placeholder address, which `redirect.py` turns back into the name.

Whether there is such a name the host says, which decides whether it may be asked for at all; nothing is resolved here.
"""

from __future__ import annotations

import socket
import struct
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import partial

from pyro_agent.base.loop import GONE, READ, Loop
from pyro_agent.network import dns, road
from pyro_agent.requests.outward import Outward
from pyro_wire import events

# 198.18.0.0/15 is set apart for benchmarks and hence nobody's. The first addresses are the machine's own.
_FIRST = int.from_bytes(socket.inet_aton("198.18.1.0"), "big")
# Names that have an address at once; the one unused for longest gives way.
_MOST_NAMES = 16 * 1024
_MOST_ASKED = 64
_KEPT_S = 20.0
_MOST_LINES = 64
_LARGEST = 4096
Reply = Callable[[bytes], None]


class Placeholders:
    """Which name has which address."""

    def __init__(self, most: int = _MOST_NAMES) -> None:
        self._most = most
        self._by_name: OrderedDict[str, str] = OrderedDict()
        self._by_address: dict[str, str] = {}

    def address_of(self, name: str) -> str:
        """Give a name's address, a new one if need be."""
        address = self._by_name.get(name)
        if address is None:
            address = self._next()
            self._by_name[name] = address
            self._by_address[address] = name
        self._by_name.move_to_end(name)
        return address

    def name_of(self, address: str) -> str | None:
        """Give the name that has this address."""
        name = self._by_address.get(address)
        if name is not None:
            self._by_name.move_to_end(name)
        return name

    def _next(self) -> str:
        if len(self._by_name) < self._most:
            return socket.inet_ntoa((_FIRST + len(self._by_name)).to_bytes(4, "big"))
        _, address = self._by_name.popitem(last=False)
        return address


class Names:
    """Answers the machine's questions for names, by UDP and TCP."""

    def __init__(self, loop: Loop, outward: Outward) -> None:
        self.placeholders = Placeholders()
        self._loop = loop
        self._outward = outward
        self._known: OrderedDict[str, tuple[int, float]] = OrderedDict()  # name → code, until when
        self._waiting: dict[str, list[tuple[dns.Question, Reply]]] = {}
        self._lines = 0
        for packets in road.listening(road.NAMES_PORT, socket.SOCK_DGRAM):
            loop.watch(packets.fileno(), READ, partial(self._on_packet, packets))
        for listener in road.listening(road.NAMES_PORT, socket.SOCK_STREAM):
            loop.watch(listener.fileno(), READ, partial(self._on_line, listener))

    def ask(self, message: bytes, reply: Reply) -> None:
        """Answer one message, now or when the host has said what there is to say."""
        try:
            question = dns.read(message)
        except dns.Unreadable as error:
            if error.reply:
                reply(error.reply)
            return
        known = self._known.get(question.name)
        if known is not None and known[1] > time.monotonic():
            reply(self._answer(question, known[0]))
        elif question.name in self._waiting:
            self._waiting[question.name].append((question, reply))
        elif len(self._waiting) >= _MOST_ASKED or not self._ask_host(question, reply):
            reply(dns.answer(question, dns.SERVER_FAILURE))

    def _ask_host(self, question: dns.Question, reply: Reply) -> bool:
        name = question.name

        def said(event: events.Event) -> None:
            if isinstance(event, events.Answered):
                self._learn(name, dns.NO_ERROR if event.message.get("found") is True else dns.NO_SUCH_NAME)
            elif isinstance(event, events.Failed):
                refused = event.fault.code == "policy_denied"
                self._learn(name, dns.NO_SUCH_NAME if refused else dns.SERVER_FAILURE)
            elif isinstance(event, events.Cancelled):
                self._waiting.pop(name, None)

        if self._outward.ask({"verb": "egress.name", "name": name}, said) is None:
            return False
        self._waiting[name] = [(question, reply)]
        return True

    def _learn(self, name: str, code: int) -> None:
        if code != dns.SERVER_FAILURE:
            self._known[name] = (code, time.monotonic() + _KEPT_S)
            if len(self._known) > _MOST_NAMES:
                self._known.popitem(last=False)
        for question, reply in self._waiting.pop(name, []):
            reply(self._answer(question, code))

    def _answer(self, question: dns.Question, code: int) -> bytes:
        """Only IPv4 has placeholders; to any other question a name that exists has nothing to say."""
        if code == dns.NO_ERROR and question.wants_address:
            return dns.answer(question, code, self.placeholders.address_of(question.name))
        return dns.answer(question, code)

    def _on_packet(self, packets: socket.socket, _: int) -> None:
        try:
            message, sender = packets.recvfrom(_LARGEST)
        except OSError:
            return

        def reply(data: bytes) -> None:
            try:
                packets.sendto(data, sender)
            except OSError:
                return  # who asked is gone, or floods: it asks again

        self.ask(message, reply)

    def _on_line(self, listener: socket.socket, _: int) -> None:
        try:
            accepted, _ = listener.accept()
        except OSError:
            return
        if self._lines >= _MOST_LINES:
            accepted.close()
            return
        accepted.setblocking(False)
        self._lines += 1
        _Line(self._loop, accepted, self.ask, self._line_ended)

    def _line_ended(self) -> None:
        self._lines -= 1


class _Line:
    """A TCP connection with questions on it, each with its length before it."""

    def __init__(
        self,
        loop: Loop,
        accepted: socket.socket,
        ask: Callable[[bytes, Reply], None],
        on_end: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._socket: socket.socket | None = accepted
        self._ask = ask
        self._on_end = on_end
        self._held = b""
        loop.watch(accepted.fileno(), READ, self._ready)

    def _ready(self, ready: int) -> None:
        assert self._socket is not None
        try:
            data = self._socket.recv(_LARGEST)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data or (ready & GONE and not ready & READ):
            self._close()
            return
        self._held += data
        while len(self._held) >= 2 and len(self._held) - 2 >= (size := int.from_bytes(self._held[:2], "big")):
            message, self._held = self._held[2 : 2 + size], self._held[2 + size :]
            self._ask(message, self._reply)
        if len(self._held) > 2 * _LARGEST:
            self._close()

    def _reply(self, data: bytes) -> None:
        if self._socket is None:
            return
        try:
            self._socket.send(struct.pack("!H", len(data)) + data)  # an empty buffer takes it whole
        except OSError:
            self._close()

    def _close(self) -> None:
        if self._socket is not None:
            self._loop.forget(self._socket.fileno())
            self._socket.close()
            self._socket = None
            self._on_end()
