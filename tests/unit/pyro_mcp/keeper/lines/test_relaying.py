"""Requests that a keeper passes on to the agent."""

import os

import pytest
from tests.unit.pyro_mcp.keeper.conftest import Kept

from pyro_mcp.errors import GuestFailed, LimitReached, OutcomeUnknown
from pyro_mcp.guest.channel import Channel
from pyro_mcp.host.waiting import wait_until

# More than all windows and buffers between the two ends hold.
MUCH = 4 << 20


def test_data_and_answer_come_back_through_the_keeper(kept: Kept) -> None:
    body = os.urandom(1000)
    got = bytearray()
    with Channel(kept.path) as channel:
        answer = channel.ask({"verb": "x"}, body=body, on_data=lambda _, data: got.extend(data))
    assert bytes(got) == body[::-1]
    assert answer == {"exit_code": 0, "duration_ms": 1000}


def test_much_data_is_passed_on_whole(kept: Kept) -> None:
    body = os.urandom(MUCH)
    with Channel(kept.path) as channel:
        channel.ask({"verb": "x"}, body=body)
    assert list(kept.agent.input.values()) == [body]


def test_a_client_that_leaves_cancels_its_request(kept: Kept) -> None:
    with pytest.raises(LimitReached), Channel(kept.path) as channel:
        channel.ask({"verb": "x", "argv": ["hang"]}, timeout=0.2)
    wait_until(lambda: kept.agent.cancelled, what="the agent to be told", timeout=5)
    assert kept.agent.cancelled == kept.agent.held
    with Channel(kept.path) as other:
        assert other.ask({"verb": "x", "argv": ["say"]}) == {"exit_code": 0, "duration_ms": 4}


def test_requests_on_one_connection_follow_each_other(kept: Kept) -> None:
    with Channel(kept.path) as channel:
        for _ in range(50):
            assert channel.ask({"verb": "x", "argv": ["say"]})["duration_ms"] == 4
    wait_until(lambda: kept.board.requests == 0, what="the keeper to forget them", timeout=5)


def test_when_the_machine_dies_a_look_has_failed(kept: Kept) -> None:
    with Channel(kept.path) as looking, pytest.raises(GuestFailed, match="died"):
        looking.ask({"verb": "file.read", "path": "die"})


@pytest.mark.parametrize("verb", ["tree.apply", "exec", "a verb of tomorrow"])
def test_when_the_machine_dies_a_change_is_unknown(kept: Kept, verb: str) -> None:
    with Channel(kept.path) as changing, pytest.raises(OutcomeUnknown, match="died") as unknown:
        changing.ask({"verb": verb, "path": "die"})
    assert "before you repeat it" in str(unknown.value.hint)
