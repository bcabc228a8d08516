"""An exec request: each field is checked before anything is started."""

from __future__ import annotations

import pytest

from pyro_agent.runners.command import Command
from pyro_wire.messages import MessageError


def test_a_full_request_is_read_and_travels_on_unchanged() -> None:
    command = Command.from_message(
        {"argv": ["sh", "-c", ""], "env": {"A": "="}, "cwd": "/x", "user": 7, "stdin": True, "timeout_ms": 5}
    )
    assert command == Command(("sh", "-c", ""), {"A": "="}, "/x", "7", True, 5)
    assert Command.from_message(command.to_message()) == command


def test_what_is_left_out_has_a_default() -> None:
    assert Command.from_message({"argv": ["x"]}) == Command(("x",), {}, "/workspace", None, False, None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"argv": []},
        {"argv": [""]},
        {"argv": "ls"},
        {"argv": ["a\0b"]},
        {"argv": ["x"], "env": {"": "v"}},
        {"argv": ["x"], "env": {"A=B": "v"}},
        {"argv": ["x"], "env": {"A": 1}},
        {"argv": ["x"], "cwd": "relative"},
        {"argv": ["x"], "timeout_ms": 0},
        {"argv": ["x"], "timeout_ms": 1e9},
        {"argv": ["x"], "timeout_ms": 10**12},
        {"argv": ["x"], "stdin": "yes"},
        {"argv": ["x"], "user": -1},
        {"argv": ["x"], "user": True},
        {"argv": ["x"], "user": 2**32 - 1},
    ],
)
def test_a_wrong_field_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(MessageError):
        Command.from_message(wrong)
