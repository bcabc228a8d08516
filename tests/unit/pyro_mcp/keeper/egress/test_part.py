"""A machine's way out, with an agent of the test's own at the line and servers on the loopback."""

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.servers import hello, serving, sized

from pyro_mcp.guest.greeting import greet
from pyro_mcp.host.waiting import wait_until
from pyro_mcp.keeper.egress import resolver
from pyro_mcp.keeper.egress.part import Egress
from pyro_mcp.keeper.lines.loop import READ, Loop
from pyro_mcp.keeper.lines.switchboard import Switchboard
from pyro_mcp.keeper.plan import Network
from pyro_mcp.network.destinations import Address, parse_address
from pyro_mcp.redaction import Redactor
from pyro_wire import events
from pyro_wire.frames import Kind, encode
from pyro_wire.messages import Message
from pyro_wire.mux import Mux


class Guest:
    """The agent's end of the line: asks, sends, and remembers what came back on each stream."""

    def __init__(self, line: socket.socket) -> None:
        self.line = line
        self.mux = Mux(initiator=False)
        self.data: dict[int, bytes] = {}
        self.ended: set[int] = set()
        self.results: dict[int, str] = {}
        self.answers: dict[int, Message] = {}

    def listen(self, until: float = 5.0) -> None:
        """Take what has come, waiting for it at most so long."""
        self.flush()
        self.line.settimeout(until)
        try:
            data = self.line.recv(65536)
        except TimeoutError:
            raise AssertionError("the keeper says nothing") from None
        for event in self.mux.receive(data):
            self._on_event(event)
        self.flush()

    def _on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Data):
            self.data[event.stream] = self.data.get(event.stream, b"") + event.payload
            self.mux.consumed(event.stream, len(event.payload))
        elif isinstance(event, events.Ended):
            self.ended.add(event.stream)
        elif isinstance(event, events.Answered):
            self.results[event.stream] = "reset" if event.message.get("reset") else "done"
            self.answers[event.stream] = event.message
        elif isinstance(event, events.Failed):
            self.results[event.stream] = event.fault.code

    def flush(self) -> None:
        while self.mux.backlog:
            self.mux.wrote(self.line.send(self.mux.outgoing()))

    def connect(self, host: str, port: int) -> int:
        return self.mux.open({"verb": "egress.connect", "host": host, "port": port})

    def result(self, stream: int) -> str:
        while stream not in self.results:
            self.listen()
        return self.results[stream]

    def send(self, stream: int, data: bytes) -> None:
        while data and stream not in self.results:
            data = data[self.mux.send(stream, 0, data) :]
            self.flush()
            if data:
                self.listen()


class Held:
    """A keeper's egress on a thread, its record, and the guest."""

    def __init__(self, network: Network, secrets: dict[str, bytes]) -> None:
        self.record = Path(str(network.record))
        self._loop = Loop()
        near, far = socket.socketpair()
        self.dead: list[str] = []
        self.guest = Guest(far)
        greeting = threading.Thread(target=self.guest.listen)
        greeting.start()
        mux = greet(near, lambda: None)
        greeting.join()
        self._board = Switchboard(self._loop, near, mux, on_request=lambda *_: None, on_dead=self.dead.append)
        self._egress = Egress(self._loop, self._board, network, Redactor(secrets))
        self._board.on_agent_request = self._egress.opened
        self._wake, self._woken = socket.socketpair()
        self._loop.watch(self._woken, READ, lambda _: self._loop.stop())
        self._thread = threading.Thread(target=self._loop.run)
        self._thread.start()
        self._far = far

    def end(self) -> None:
        self._wake.send(b"x")
        self._thread.join()
        self._egress.ended("over")
        self._board.close()
        for end in (self._wake, self._woken, self._far):
            end.close()

    def told(self) -> list[tuple[object, ...]]:
        lines = [json.loads(line) for line in self.record.read_text().splitlines()]
        return [(line["outcome"], line["host"], line.get("port"), line["count"]) for line in lines]


@contextmanager
def _held(tmp_path: Path, *rules: str, policy: str = "egress", **secrets: bytes) -> Iterator[Held]:
    held = Held(Network(policy, rules, "", str(tmp_path / "record")), secrets)
    try:
        yield held
    finally:
        held.end()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """What names resolve to, instead of asking anybody."""
    known: dict[str, list[str]] = {}

    def look_up(name: str) -> tuple[Address, ...]:
        found = [parse_address(text) for text in known.get(name, [])]
        return tuple(address for address in found if address is not None)

    monkeypatch.setattr(resolver, "look_up", look_up)
    return known


def test_an_allowed_connection_is_relayed_both_ways_and_half_closed(tmp_path: Path) -> None:
    with serving(sized) as server, _held(tmp_path, "127.0.0.1") as held:
        stream = held.guest.connect("127.0.0.1", server.port)
        held.guest.send(stream, bytes(3_000_000))
        held.guest.mux.end(stream, 0)
        assert held.guest.result(stream) == "done"
        assert held.guest.data[stream] == b"3000000\n"
        assert stream in held.guest.ended
    assert held.told() == [("allowed", "127.0.0.1", server.port, 1)]


def test_a_slow_guest_holds_up_its_own_stream_only(tmp_path: Path) -> None:
    def flood(connection: socket.socket) -> None:
        for _ in range(100):
            connection.sendall(bytes(100_000))

    with serving(flood) as flooding, serving(hello) as greeting, _held(tmp_path, "127.0.0.1") as held:
        slow = held.guest.connect("127.0.0.1", flooding.port)
        held.guest.flush()
        quick = held.guest.connect("127.0.0.1", greeting.port)
        held.guest.send(quick, b"GET / HTTP/1.0\r\n\r\n")
        held.guest.mux.end(quick, 0)
        assert held.guest.result(quick) == "done"
        assert held.guest.data[quick].endswith(b"hello\n")
        while slow not in held.guest.ended:
            held.guest.listen()
        assert len(held.guest.data[slow]) == 10_000_000


@pytest.mark.parametrize(
    ("rules", "host", "outcome"),
    [
        ((), "127.0.0.1", "policy_denied"),
        (("127.0.0.1:1",), "127.0.0.1", "policy_denied"),
        (("*",), "host.pyro.internal", "policy_denied"),
        ((), "no name", "policy_denied"),
        ((), "::ffff:127.0.0.1", "policy_denied"),
        ((), "0x7f.1", "policy_denied"),
        (("10.0.0.0/8",), "rebind.example", "policy_denied"),
        (("rebind.example",), "rebind.example", "policy_denied"),
        (("*.example",), "nowhere.example", "guest_failed"),
    ],
)
def test_what_no_rule_names_is_never_connected_to(
    tmp_path: Path, names: dict[str, list[str]], rules: tuple[str, ...], host: str, outcome: str
) -> None:
    names["rebind.example"] = ["127.0.0.1", "::1"]
    with serving(hello) as server, _held(tmp_path, *rules) as held:
        assert held.guest.result(held.guest.connect(host, server.port)) == outcome
        assert server.visits == []
    assert [told[1:] for told in held.told()] == [(host, server.port, 1)]


def test_a_name_that_changes_its_mind_is_connected_where_it_was_judged(
    tmp_path: Path, names: dict[str, list[str]]
) -> None:
    """The very addresses that were judged are connected to: nobody is asked again in between."""
    asked: list[str] = []

    def look_up(name: str) -> tuple[Address, ...]:
        asked.append(name)
        found = parse_address("192.0.2.1" if len(asked) > 1 else "127.0.0.1")
        return () if found is None else (found,)

    with pytest.MonkeyPatch.context() as patch, serving(hello) as server:
        patch.setattr(resolver, "look_up", look_up)
        with _held(tmp_path, "rebind.example", f"127.0.0.1:{server.port}") as held:
            stream = held.guest.connect("rebind.example", server.port)
            held.guest.send(stream, b"x")
            held.guest.mux.end(stream, 0)
            assert held.guest.result(stream) == "done"
    assert asked == ["rebind.example"]


@pytest.mark.parametrize(("found", "result"), [(["192.0.2.1"], {"found": True}), ([], {"found": False})])
def test_names_are_asked_for_where_they_may_be(
    tmp_path: Path, names: dict[str, list[str]], found: list[str], result: Message
) -> None:
    names["pypi.example"] = found
    with _held(tmp_path, "*.example:443") as held:
        stream = held.guest.mux.open({"verb": "egress.name", "name": "pypi.example"})
        held.guest.result(stream)
        assert held.guest.answers[stream] == result
        refused = held.guest.mux.open({"verb": "egress.name", "name": "secret.evil.test"})
        assert held.guest.result(refused) == "policy_denied"
    outcome = "allowed" if found else "failed"
    assert held.told() == [(outcome, "pypi.example", None, 1), ("refused", "secret.evil.test", None, 1)]


def _tls_hello(name: str) -> bytes:
    outgoing = ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


@pytest.mark.parametrize(("asked", "passes"), [("good.example", True), ("evil.test", False)])
def test_tls_must_ask_for_a_name_that_a_rule_names(
    tmp_path: Path, names: dict[str, list[str]], asked: str, passes: bool
) -> None:
    names["good.example"] = ["127.0.0.1"]
    with serving(sized) as server, _held(tmp_path, "good.example", "127.0.0.1") as held:
        data = _tls_hello(asked)
        stream = held.guest.connect("good.example", server.port)
        held.guest.send(stream, data[:9])
        held.guest.send(stream, data[9:])
        held.guest.mux.end(stream, 0)
        assert held.guest.result(stream) == ("done" if passes else "reset")
        assert held.guest.data.get(stream) == (f"{len(data)}\n".encode() if passes else None)
    assert (("refused", "good.example", server.port, 1) in held.told()) is not passes


def test_a_server_that_speaks_first_is_heard_though_tls_would_be_judged(
    tmp_path: Path, names: dict[str, list[str]]
) -> None:
    def greet_first(connection: socket.socket) -> None:
        connection.sendall(b"SSH-2.0-test\r\n")
        sized(connection)

    names["good.example"] = ["127.0.0.1"]
    with serving(greet_first) as server, _held(tmp_path, "good.example", "127.0.0.1") as held:
        stream = held.guest.connect("good.example", server.port)
        while held.guest.data.get(stream) != b"SSH-2.0-test\r\n":
            held.guest.listen()
        held.guest.send(stream, b"SSH-2.0-me\r\n")
        held.guest.mux.end(stream, 0)
        assert held.guest.result(stream) == "done"


def test_a_connection_that_the_guest_gives_up_is_closed(tmp_path: Path) -> None:
    gone = threading.Event()

    def wait(connection: socket.socket) -> None:
        if connection.recv(1) == b"":
            gone.set()

    with serving(wait) as server, _held(tmp_path, "127.0.0.1") as held:
        stream = held.guest.connect("127.0.0.1", server.port)
        held.guest.flush()
        wait_until(lambda: server.visits, what="the connection", timeout=5)
        held.guest.mux.cancel(stream)
        assert held.guest.result(stream) == "reset"
        assert gone.wait(5)


def _wait_for_the_end(connection: socket.socket) -> None:
    connection.recv(1)


def test_no_more_connections_at_once_than_the_limit(tmp_path: Path) -> None:
    with (
        serving(_wait_for_the_end) as server,
        _held(tmp_path, "127.0.0.1") as held,
    ):
        streams = [held.guest.connect("127.0.0.1", server.port) for _ in range(260)]
        for stream in streams[256:]:
            assert held.guest.result(stream) == "limit_reached"
    assert ("refused", "127.0.0.1", server.port, 4) in held.told()


@pytest.mark.parametrize(
    "message",
    [
        {"verb": "exec"},
        {},
        {"verb": "egress.connect", "host": "a", "port": 0},
        {"verb": "egress.connect", "host": 7, "port": 80},
        {"verb": "egress.strays", "strays": [[1, 2, 3]], "others": 0},
        {"verb": "egress.strays", "strays": [["udp", "8.8.8.8", 53, 1]] * 51, "others": 0},
    ],
)
def test_what_no_agent_of_ours_would_ask_is_refused(tmp_path: Path, message: Message) -> None:
    with _held(tmp_path) as held:
        assert held.guest.result(held.guest.mux.open(message)) == "invalid_request"
        assert held.dead == []


def test_strays_are_written_down_with_their_number(tmp_path: Path) -> None:
    with _held(tmp_path) as held:
        told = {
            "verb": "egress.strays",
            "strays": [["udp", "8.8.8.8", 123, 7], ["icmp", "9.9.9.9", 0, 1]],
            "others": 30,
        }
        assert held.guest.result(held.guest.mux.open(told)) == "done"
    assert held.told() == [
        ("refused", "8.8.8.8", 123, 7),
        ("refused", "9.9.9.9", None, 1),
        ("refused", "(various)", None, 30),
    ]


def test_neither_secrets_nor_control_characters_reach_the_record(tmp_path: Path) -> None:
    with _held(tmp_path, policy="off", TOKEN=b"hunter2hunter2") as held:
        for host in ("hunter2hunter2.evil.test", "\x1b[31mred"):
            held.guest.result(held.guest.connect(host, 443))
    text = held.record.read_text()
    assert "hunter2" not in text
    assert "[31m" in text
    assert "\\u001b" not in text


def test_an_agent_that_asks_without_end_and_does_not_listen_is_not_listened_to(tmp_path: Path) -> None:
    with _held(tmp_path, policy="off") as held:
        line = held.guest.line
        line.settimeout(0.5)
        asking = (
            encode(Kind.OPEN, stream, b'{"verb":"egress.connect","host":"a","port":1}')
            for stream in range(2, 1_000_000, 2)
        )
        with pytest.raises(OSError, match=r"timed out|[Bb]roken pipe|reset"):
            line.sendall(b"".join(asking))
