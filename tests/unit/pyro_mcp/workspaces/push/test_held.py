"""What a push asks of a workspace: what it has to know and no more; and what the guest answers is checked."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

import pytest

from pyro_mcp.errors import Conflict, GuestFailed
from pyro_mcp.guest.channel import OnData
from pyro_mcp.workspaces.push.held import held, repositories
from pyro_mcp.workspaces.seeding.entries import Entry, Kind
from pyro_mcp.workspaces.seeding.manifest import Item
from pyro_mcp.workspaces.session import Session
from pyro_wire.messages import Message

DIRECTORY = Item("directory", 0o755, 0, 0, b"")
FILE = Item("file", 0o644, 3, 0, hashlib.sha256(b"old").digest())
NEW = {"kind": "file", "mode": 0o600, "size": 3, "sha256": hashlib.sha256(b"new").hexdigest()}


@dataclass
class Agent:
    """Answers by verb: records, and the answer behind them; knows some places."""

    records: list[dict[str, object]] = field(default_factory=list)
    answer: Message = field(default_factory=lambda: {"complete": True})
    places: Mapping[str, str] = field(default_factory=dict)
    asked: list[tuple[Message, bytes | None]] = field(default_factory=list)

    def ask(self, message: Message, *, on_data: OnData | None = None, body: bytes | None = None) -> Message:
        if message["verb"] == "file.stat":
            return {"kind": self.places.get(str(message["path"]), "absent"), "mode": 0o755, "size": 0}
        self.asked.append((message, body))
        for record in self.records:
            assert on_data is not None
            on_data(1, json.dumps(record).encode() + b"\n")
        return self.answer

    @property
    def session(self) -> Session:
        return cast("Session", self)

    def held(
        self,
        entries: list[Entry],
        seeded: Mapping[bytes, Item],
        below: bytes | None = b"",
        *,
        delete: bool = False,
    ) -> Mapping[bytes, Item]:
        dest = "/opt" if below is None else "/workspace/" + below.decode()
        return held(self.session, dest, below, seeded, entries, delete=delete)


def entry(path: bytes, kind: Kind = "file") -> Entry:
    return Entry(path, kind, 0o644, 3, 0)


def change(path: str, new: object) -> dict[str, object]:
    return {"path": path, "old": None, "new": new, "old_bytes": 0, "new_bytes": 0}


def test_what_is_there_is_the_seed_and_what_differs_from_it() -> None:
    agent = Agent(
        [
            change("gone", None),
            change("file", NEW),
            change("folder", {"kind": "dir", "mode": 0o700, "size": 4096}),
            change("link", {"kind": "link", "mode": 0o777, "size": 1, "target": "x"}),
            change("pipe", {"kind": "other", "mode": 0o644, "size": 0}),
        ]
    )
    found = agent.held([], {b"gone": FILE, b"file": FILE, b"same": FILE})
    assert found == {
        b"file": Item("file", 0o600, 3, 0, hashlib.sha256(b"new").digest()),
        b"folder": Item("directory", 0o700, 0, 0, b""),
        b"link": Item("symlink", 0o777, 1, 0, hashlib.sha256(b"x").digest()),
        b"pipe": Item("symlink", 0, 0, 0, b""),
        b"same": FILE,
    }


def test_only_what_is_pushed_and_was_not_seeded_is_named() -> None:
    agent = Agent(places={"/workspace/d": "dir"})
    entries = [
        entry(b"", "directory"), entry(b"same"), entry(b"sub", "directory"), entry(b"new", "directory"),
        entry(b"new/\xff"), entry(b"was-folder"),
    ]  # fmt: skip
    agent.held(entries, {b"same": FILE, b"sub": DIRECTORY, b"was-folder": DIRECTORY}, b"d/")
    ((message, body),) = agent.asked
    assert (message["only"], message["paths"]) == (True, ["d/"])
    assert [json.loads(line) for line in (body or b"").splitlines()] == [
        {"just": ["d", "d/new"]},
        {"whole": ["d/new/\udcff", "d/was-folder"]},
    ]


def test_the_way_to_a_place_that_was_not_seeded_is_named() -> None:
    agent = Agent(places={"/workspace/new": "dir", "/workspace/new/sub": "dir"})
    agent.held([entry(b"file")], {}, b"new/sub/")
    assert agent.asked[0][1] == b'{"just":["new","new/sub"]}\n{"whole":["new/sub/file"]}\n'


def test_a_push_that_deletes_asks_for_everything() -> None:
    agent = Agent()
    agent.held([entry(b"new")], {}, delete=True)
    agent.answer = {"count": 0}
    agent.held([entry(b"new")], {}, None, delete=True)
    assert [(message["only"], body) for message, body in agent.asked] == [(False, None), (False, None)]


def test_names_travel_in_lines_that_the_agent_takes() -> None:
    agent = Agent()
    agent.held([entry(b"\xff" * 4000 + b"%d" % number) for number in range(9)], {})
    lines = (agent.asked[0][1] or b"").splitlines()
    assert len(lines) == 9
    assert max(map(len, lines)) < 64 * 1024


def test_outside_or_behind_a_link_each_path_is_looked_up() -> None:
    agent = Agent([{"path": "a", **NEW}], {"count": 1}, {"/workspace/d": "dir", "/workspace/d/link": "link"})
    for below in (None, b"d/link/", b"d/link/deeper/"):
        assert agent.held([entry(b""), entry(b"a"), entry(b"b", "directory")], {}, below) == {
            b"a": Item("file", 0o600, 3, 0, hashlib.sha256(b"new").digest())
        }
    assert {message["verb"] for message, _ in agent.asked} == {"tree.manifest"}
    assert {body for _, body in agent.asked} == {b'{"just":["b"]}\n{"whole":["a"]}\n'}


def test_a_destination_that_is_absent_or_a_file() -> None:
    agent = Agent(places={"/workspace/file": "file"})
    assert agent.held([], {}, b"absent/") == {}
    with pytest.raises(Conflict, match="is a file"):
        agent.held([], {}, b"file/")
    agent = Agent([{"path": "", **NEW}], {"count": 1})
    with pytest.raises(Conflict, match="is a file"):
        agent.held([], {}, None)


def test_repositories_are_looked_for_in_the_directories_named_and_nowhere_else() -> None:
    folder = {"kind": "dir", "mode": 0o755, "size": 0}
    agent = Agent([{"path": "a", **folder}, {"path": "a/b/.git", **folder}], {"count": 2})
    assert set(repositories(agent.session, "/workspace", [b"a", b"a/b"])) == {b"a/b/.git"}
    ((message, body),) = agent.asked
    assert (message["ignore"], message["only"]) == ([], True)
    assert body == b'{"just":["a","a/.git","a/b","a/b/.git"]}\n'


@pytest.mark.parametrize("answer", [{"complete": False}, {}])
def test_what_cannot_be_looked_at_stops_the_push(answer: Message) -> None:
    with pytest.raises(Conflict, match="cannot be looked at"):
        Agent(answer=answer).held([], {})


@pytest.mark.parametrize(
    "new",
    [{**NEW, "sha256": "x"}, {"kind": "file", "mode": 0, "size": 0}, {"kind": "link", "mode": 0, "size": 0}],
)
def test_nonsense_is_the_machines_failure(new: object) -> None:
    with pytest.raises(GuestFailed, match="makes no sense"):
        Agent([change("a", new)]).held([], {})
