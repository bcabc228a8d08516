"""One TCP connection over the line, against real sockets of this host's loopback."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from tests.unit.pyro_agent.agent import Agent

from pyro_wire import events
from pyro_wire.events import Event
from pyro_wire.mux import WINDOW


class Connected:
    """A host's end of the line, an agent, and a server of the test's own."""

    def __init__(self) -> None:
        self.agent = Agent()
        self.said: list[Event] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.servers: list[socket.socket] = []

    def connect(self, port: int | None = None) -> int:
        stream = self.agent.host.open({"verb": "connect", "port": port or self.port})
        self.turn()
        return stream

    def accept(self) -> socket.socket:
        server, _ = self.listener.accept()
        server.settimeout(5)
        self.servers.append(server)
        return server

    def close(self) -> None:
        self.agent.dispatcher._abandon_all()
        for end in (self.listener, *self.servers):
            end.close()

    def feed(self, server: socket.socket) -> None:
        """Send until nobody takes it any more."""
        while True:
            server.sendall(bytes(65536))
            self.turn(1)

    def turn(self, times: int = 3) -> None:
        """Let the agent take turns."""
        loop = self.agent.machine.loop
        for _ in range(times):
            self.said += self.agent.carry()
            for request in [each for each in self.agent.dispatcher._requests.values() if not each.resting]:
                request.guarded(request.on_turn)
            loop.after(0.001, lambda: None)
            loop.step()
        self.said += self.agent.carry()

    def all(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.said if isinstance(event, kind)]


@pytest.fixture
def joined() -> Iterator[Connected]:
    made = Connected()
    yield made
    made.close()


def test_bytes_go_both_ways_and_each_end_by_itself(joined: Connected) -> None:
    stream = joined.connect()
    server = joined.accept()
    joined.turn()
    assert events.Control(stream, {"connected": True}) in joined.said
    joined.agent.host.send(stream, 0, b"question")
    joined.agent.host.end(stream, 0)
    joined.turn()
    assert server.recv(100) == b"question"
    assert server.recv(100) == b""  # half closed: the other half still carries
    server.sendall(b"answer")
    server.close()
    joined.turn()
    assert events.Data(stream, 1, b"answer") in joined.said
    assert joined.said[-2:] == [events.Ended(stream, 1), events.Answered(stream, {})]


def test_what_was_sent_before_it_stood_is_not_lost(joined: Connected) -> None:
    stream = joined.agent.host.open({"verb": "connect", "port": joined.port})
    joined.agent.host.send(stream, 0, b"early")
    joined.turn()
    assert joined.accept().recv(100) == b"early"


def test_the_other_loopback_is_tried(joined: Connected) -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
        joined.connect(listener.getsockname()[1])
        joined.turn()
        assert joined.all(events.Control)


def test_a_port_without_a_listener_is_refused(joined: Connected) -> None:
    joined.listener.close()
    joined.connect()
    joined.turn()
    (failed,) = joined.all(events.Failed)
    assert isinstance(failed, events.Failed)
    assert failed.fault.code == "not_found"


def test_a_reset_by_the_server_fails_the_stream(joined: Connected) -> None:
    joined.connect()
    server = joined.accept()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    server.close()
    joined.turn()
    (failed,) = joined.all(events.Failed)
    assert isinstance(failed, events.Failed)
    assert failed.fault.code == "conflict"


def test_a_cancel_resets_the_servers_side(joined: Connected) -> None:
    stream = joined.connect()
    server = joined.accept()
    joined.turn()
    joined.agent.host.cancel(stream)
    joined.turn()
    with pytest.raises(ConnectionResetError):
        server.recv(1)


def test_one_on_which_nothing_happens_costs_no_turn_and_wakes_by_either_side(joined: Connected) -> None:
    stream = joined.connect()
    server = joined.accept()
    joined.turn()
    (request,) = joined.agent.dispatcher._requests.values()
    assert request.resting
    joined.agent.host.send(stream, 0, b"x")
    joined.turn()
    assert server.recv(1) == b"x"
    server.sendall(b"y")
    joined.turn()
    assert events.Data(stream, 1, b"y") in joined.said
    assert request.resting


def test_no_more_is_read_than_the_host_takes(joined: Connected) -> None:
    stream = joined.connect()
    server = joined.accept()
    server.settimeout(0.2)
    with pytest.raises(TimeoutError):
        joined.feed(server)
    sizes = [len(event.payload) for event in joined.said if isinstance(event, events.Data)]
    assert sum(sizes) == WINDOW
    joined.agent.host.consumed(stream, WINDOW)
    joined.turn()
    assert sum(len(event.payload) for event in joined.said if isinstance(event, events.Data)) > WINDOW


@pytest.mark.parametrize("port", [0, 65536, "80", None, True])
def test_a_port_that_is_none_is_refused(joined: Connected, port: object) -> None:
    joined.agent.host.open({"verb": "connect", "port": port})
    joined.turn()
    (failed,) = joined.all(events.Failed)
    assert isinstance(failed, events.Failed)
    assert failed.fault.code == "invalid_request"
