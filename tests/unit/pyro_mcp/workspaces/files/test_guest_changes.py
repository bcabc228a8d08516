"""What changes files is sent to the agent whole or not at all."""

from collections.abc import Iterator

import pytest
from tests.unit.pyro_mcp.workspaces.answering import Agent

from pyro_mcp.errors import Conflict
from pyro_mcp.workspaces.files import guest_changes


def test_a_small_change_is_sent_from_memory_and_a_large_one_from_a_file() -> None:
    agent = Agent({"entries": []})
    guest_changes.apply(agent.session, [guest_changes.write_step("a", b"xy")])
    assert isinstance(agent.body, bytes)
    assert agent.body.endswith(b"\nxy")

    def pieces() -> Iterator[bytes]:
        yield from (bytes(1 << 20) for _ in range(9))

    guest_changes.apply(
        agent.session, [guest_changes.write_stream_step("a", pieces, size=9 << 20, mode=0o644)]
    )
    assert not isinstance(agent.body, bytes)
    assert agent.size > 9 << 20


def test_nothing_is_sent_when_a_step_has_not_the_bytes_that_it_announces() -> None:
    agent = Agent({"entries": []})
    with pytest.raises(Conflict):
        guest_changes.apply(
            agent.session, [guest_changes.write_stream_step("a", lambda: [b"x"], size=2, mode=0o644)]
        )
    assert agent.body is None
