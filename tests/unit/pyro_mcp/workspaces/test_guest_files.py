"""What the agent says about files is checked before it is believed; what is sent to it is whole or not sent."""

import json
import os
from collections.abc import Iterator
from typing import cast

import pytest

from pyro_mcp.errors import Conflict, GuestFailed, InvalidRequest
from pyro_mcp.guest.channel import OnData, Source
from pyro_mcp.workspaces import guest_files
from pyro_mcp.workspaces.session import Session
from pyro_wire.messages import Message


class Agent:
    """Says `data`, then answers `answer`; remembers what it got."""

    def __init__(self, answer: Message, data: bytes = b"") -> None:
        self.answer = answer
        self.data = data
        self.body: bytes | Source | None = None
        self.size = 0

    def ask(
        self, message: Message, *, on_data: OnData | None = None, body: bytes | Source | None = None
    ) -> Message:
        self.body = body
        if body is not None and not isinstance(body, bytes):
            while block := os.read(body.fileno(), 1 << 20):
                self.size += len(block)
        for at in range(0, len(self.data), 7):
            assert on_data is not None
            on_data(1, self.data[at : at + 7])
        return self.answer

    @property
    def session(self) -> Session:
        return cast("Session", self)


def record(**fields: object) -> bytes:
    usual = {"path": "a", "old": None, "new": None, "old_bytes": 0, "new_bytes": 0}
    return json.dumps({**usual, **fields}).encode() + b"\n"


FILE = {"kind": "file", "mode": 0o644, "size": 3}


def test_records_are_followed_by_their_bytes_whatever_these_are() -> None:
    data = record(new=FILE, new_bytes=3) + b"\n{}" + record(path="\udcff", old=FILE, old_bytes=2) + b"ab"
    found, _ = guest_files.changes(Agent({}, data).session, {})
    assert [(one.path, one.new and one.new.content, one.old and one.old.content) for one in found] == [
        (b"a", b"\n{}", None),
        (b"\xff", None, b"ab"),
    ]


@pytest.mark.parametrize(
    "data",
    [
        b"no json\n",
        b"[]\n",
        b"{}",
        record(new=FILE, new_bytes=10),
        record(new_bytes=-1),
        record(new={"kind": "door", "mode": 0, "size": 0}),
        record(new={"kind": "file", "mode": -1, "size": 0}),
        record(new=7),
    ],
)
def test_what_makes_no_sense_is_not_believed(data: bytes) -> None:
    with pytest.raises(GuestFailed):
        guest_files.changes(Agent({}, data).session, {})


def test_a_small_change_is_sent_from_memory_and_a_large_one_from_a_file() -> None:
    agent = Agent({"entries": []})
    guest_files.apply(agent.session, [guest_files.write_step("a", b"xy")])
    assert isinstance(agent.body, bytes)
    assert agent.body.endswith(b"\nxy")

    def pieces() -> Iterator[bytes]:
        yield from (bytes(1 << 20) for _ in range(9))

    guest_files.apply(agent.session, [guest_files.write_stream_step("a", pieces, size=9 << 20, mode=0o644)])
    assert not isinstance(agent.body, bytes)
    assert agent.size > 9 << 20


def test_nothing_is_sent_when_a_step_has_not_the_bytes_that_it_announces() -> None:
    agent = Agent({"entries": []})
    with pytest.raises(Conflict):
        guest_files.apply(
            agent.session, [guest_files.write_stream_step("a", lambda: [b"x"], size=2, mode=0o644)]
        )
    assert agent.body is None


def test_half_of_a_surrogate_pair_names_no_file() -> None:
    for name in (guest_files.guest_path, guest_files.name_bytes):
        with pytest.raises(InvalidRequest, match="surrogate"):
            name("half\ud800")
    with pytest.raises(InvalidRequest, match="the patch has half"):
        guest_files.text_bytes("half\ud800", "the patch")
    assert guest_files.name_bytes("odd\udcff") == b"odd\xff"
