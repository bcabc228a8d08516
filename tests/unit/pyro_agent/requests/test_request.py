"""A request's walls: whatever fails inside becomes the fault of its own stream, once, and everything is released."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import pytest

from pyro_agent.requests.machine import Machine
from pyro_agent.requests.request import Request
from pyro_wire.events import Event, Failed
from pyro_wire.faults import FaultError
from pyro_wire.messages import Message, MessageError
from pyro_wire.mux import Mux


class Recorded(Request):
    """A verb that does what the test says."""

    released = 0

    def start(self, message: Message) -> None:
        raise NotImplementedError

    def release(self) -> None:
        self.released += 1


def carry(source: Mux, sink: Mux) -> list[Event]:
    happened: list[Event] = []
    while head := source.outgoing():
        happened += sink.receive(head)
        source.wrote(len(head))
    return happened


@pytest.fixture
def ends() -> tuple[Mux, Recorded]:
    host, guest = Mux(initiator=True), Mux(initiator=False)
    host.hello("n")
    carry(host, guest)
    carry(guest, host)
    host.open({})
    carry(host, guest)
    return host, Recorded(cast("Machine", None), guest, 1)


def raises(error: BaseException) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


@pytest.mark.parametrize(
    ("error", "code", "brief"),
    [
        (FaultError("conflict", "busy"), "conflict", "busy"),
        (MessageError("argv: names no command"), "invalid_request", "argv: names no command"),
        (ZeroDivisionError("oh"), "guest_failed", "the agent failed: oh"),
        (OSError(28, "No space left"), "guest_failed", "the agent failed: [Errno 28] No space left"),
    ],
)
def test_an_exception_is_the_streams_fault(
    ends: tuple[Mux, Recorded], error: Exception, code: str, brief: str
) -> None:
    host, request = ends
    request.guarded(raises(error))
    (failed,) = carry(request._mux, host)
    assert isinstance(failed, Failed)
    assert (failed.fault.code, failed.fault.brief) == (code, brief)
    assert request.released == 1


def test_after_its_end_a_request_does_nothing_more(ends: tuple[Mux, Recorded]) -> None:
    host, request = ends
    request.answer({})
    request.guarded(raises(AssertionError("must not run")))
    request.answer({})
    request.end(1)
    request.consumed(5)
    request.close()
    assert request.send(1, b"late") == 4
    assert request.room == 0
    assert len(carry(request._mux, host)) == 1
    assert request.released == 1


def test_what_the_end_of_the_program_needs_is_not_caught(ends: tuple[Mux, Recorded]) -> None:
    with pytest.raises(KeyboardInterrupt):
        ends[1].guarded(raises(KeyboardInterrupt()))
