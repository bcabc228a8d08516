"""How a command ended, from whatever order its reports, its death, a timeout and a cancel come in."""

from __future__ import annotations

import signal

import pytest

from pyro_agent.commands.exec import Outcome, signal_name, signal_number
from pyro_wire.messages import MessageError

KILLED = {
    "exit_code": None,
    "signal": "KILL",
    "signal_number": 9,
    "timed_out": False,
    "killed": False,
    "oom": False,
    "left_running": False,
}


def answer(outcome: Outcome, *, oom: bool = False) -> dict[str, object]:
    message = dict(outcome.to_message(duration_ms=12, oom=oom))
    assert message.pop("duration_ms") == 12
    return message


def test_an_exit_code() -> None:
    outcome = Outcome()
    assert not outcome.known
    outcome.take(b'{"status": 1792, "alone": true}\n')
    assert outcome.known
    assert outcome.over
    assert answer(outcome) == KILLED | {"exit_code": 7, "signal": None, "signal_number": None}


def test_a_signal() -> None:
    outcome = Outcome()
    outcome.take(b'{"status": 11, "alone": false}\n')
    assert outcome.known
    assert not outcome.over  # something it started still lives
    assert answer(outcome, oom=True) == KILLED | {
        "signal": "SEGV",
        "signal_number": 11,
        "oom": True,
        "left_running": True,
    }


def test_a_core_dump_is_still_that_signal() -> None:
    outcome = Outcome()
    outcome.take(b'{"status": 134}\n')
    assert answer(outcome)["signal"] == "ABRT"


def test_a_death_without_a_word_is_a_kill() -> None:
    assert answer(Outcome(over=True)) == KILLED


@pytest.mark.parametrize("cause", ["timed_out", "killed"])
def test_a_status_after_we_killed_it_does_not_hide_that(cause: str) -> None:
    outcome = Outcome(timed_out=cause == "timed_out", killed=cause == "killed")
    outcome.take(b'{"status": 0, "alone": true}\n')
    assert not outcome.known
    assert answer(outcome) == KILLED | {cause: True}


def test_a_fault_is_kept_and_the_status_that_follows_ends_it() -> None:
    outcome = Outcome()
    outcome.take(
        b'{"fault": {"code": "invalid_request", "brief": "no such folder"}}\n{"status": 32000, "alone": true}\n'
    )
    assert outcome.fault is not None
    assert outcome.fault.code == "invalid_request"
    assert outcome.over


def test_a_runner_that_broke_is_the_guests_failure() -> None:
    outcome = Outcome()
    outcome.take(b'{"broken": "OSError(28)"}\n')
    assert outcome.fault is not None
    assert (outcome.fault.code, outcome.fault.details) == ("guest_failed", "OSError(28)")


@pytest.mark.parametrize("report", [b"garbage\n", b'{"status": "0"}\n', b'{"status": 70000}\n', b"{}\n"])
def test_a_garbled_report_never_becomes_an_answer(report: bytes) -> None:
    with pytest.raises(MessageError):
        Outcome().take(report)


def test_signals_have_their_shells_names() -> None:
    assert signal_name(15) == "TERM"
    assert signal_name(44) == "44"
    assert signal_number({"signal": "INT"}) is signal.SIGINT


@pytest.mark.parametrize("name", ["SIGINT", "int", "", "_DFL", "NOPE", "INT\n", 2, None])
def test_an_unknown_signal_is_refused(name: object) -> None:
    with pytest.raises(MessageError):
        signal_number({"signal": name})
