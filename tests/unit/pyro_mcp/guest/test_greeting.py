"""The first words on a fresh line, and questions before there is a keeper."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from pyro_mcp.errors import GuestFailed, InvalidRequest
from pyro_mcp.guest.asking import ask
from pyro_mcp.guest.greeting import greet
from pyro_wire import events
from pyro_wire.faults import Fault
from pyro_wire.mux import Mux

Serve = Callable[[socket.socket], None]


@contextmanager
def peer(serve: Serve) -> Iterator[socket.socket]:
    near, far = socket.socketpair()
    thread = threading.Thread(target=serve, args=(far,))
    thread.start()
    try:
        yield near
    finally:
        near.close()
        thread.join()
        far.close()


def agent(line: socket.socket) -> None:
    """Answer every request with its own verb, or refuse it."""
    mux = Mux(initiator=False)
    while data := line.recv(65536):
        for event in mux.receive(data):
            if isinstance(event, events.Opened) and event.message["verb"] == "bad":
                mux.fail(event.stream, Fault("invalid_request", "no"))
            elif isinstance(event, events.Opened):
                mux.send(event.stream, 1, b"noise")
                mux.answer(event.stream, {"did": event.message["verb"]})
        while mux.backlog:
            mux.wrote(line.send(mux.outgoing()))


def never(_: None = None) -> None:
    """Nothing makes waiting pointless."""


def test_an_agent_is_greeted_and_asked() -> None:
    with peer(agent) as line:
        mux = greet(line, never)
        assert ask(line, mux, {"verb": "sync"}, never) == {"did": "sync"}
        with pytest.raises(InvalidRequest, match="no"):
            ask(line, mux, {"verb": "bad"}, never)
        assert ask(line, mux, {"verb": "again"}, never) == {"did": "again"}


def test_a_machine_that_closes_its_line_is_told_of_with_the_real_cause() -> None:
    def dead() -> None:
        raise GuestFailed("QEMU ended by itself")

    with (
        peer(lambda far: far.shutdown(socket.SHUT_RDWR)) as line,
        pytest.raises(GuestFailed, match="by itself"),
    ):
        greet(line, dead)


def test_a_machine_that_closes_its_line_and_lives_is_an_error_all_the_same() -> None:
    with (
        peer(lambda far: far.shutdown(socket.SHUT_RDWR)) as line,
        pytest.raises(GuestFailed, match="closed its line"),
    ):
        greet(line, never)


@pytest.mark.parametrize("noise", [b"\0" * 12, b"garbage, and more of it than a header", b"P" * 4096])
def test_noise_is_an_error_and_not_a_greeting(noise: bytes) -> None:
    with peer(lambda far: far.sendall(noise)) as line, pytest.raises(GuestFailed, match="protocol"):
        greet(line, never)
