"""Faults keep their four parts over the line, bounded, and a peer cannot invent a code."""

from __future__ import annotations

import pytest

from pyro_wire import messages
from pyro_wire.faults import MAX_TEXT, Fault, FaultError
from pyro_wire.messages import MessageError


def test_a_fault_survives_the_line() -> None:
    fault = Fault("not_found", "no such directory: /x", "stat failed", "give a cwd that exists")
    assert Fault.from_message(messages.unpack(messages.pack(fault.to_message()))) == fault


def test_endless_texts_are_cut_and_fit_one_frame() -> None:
    endless = "\x01" * 10**6
    fault = Fault("guest_failed", endless, endless + "the end", endless)
    message = messages.unpack(messages.pack(fault.to_message()))
    assert str(message["details"]).endswith("the end")
    assert len(Fault.from_message(message).brief) == MAX_TEXT


def test_an_unknown_code_becomes_guest_failed() -> None:
    assert Fault.from_message({"code": "root", "brief": "b", "hint": 7}) == Fault("guest_failed", "b")


@pytest.mark.parametrize(
    "message", [{}, {"code": "conflict"}, {"code": 1, "brief": "b"}, {"code": "conflict", "brief": []}]
)
def test_a_fault_without_code_or_brief_is_refused(message: dict[str, object]) -> None:
    with pytest.raises(MessageError):
        Fault.from_message(message)


def test_an_error_carries_its_fault() -> None:
    error = FaultError("conflict", "busy", hint="wait")
    assert error.fault == Fault("conflict", "busy", None, "wait")
    assert str(error) == "busy"
