"""What the agent says about files is checked before it is believed."""

import json

import pytest
from tests.unit.pyro_mcp.workspaces.answering import Agent

from pyro_mcp.errors import GuestFailed, InvalidRequest
from pyro_mcp.workspaces.files import guest_files


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


def test_half_of_a_surrogate_pair_names_no_file() -> None:
    for name in (guest_files.guest_path, guest_files.name_bytes):
        with pytest.raises(InvalidRequest, match="surrogate"):
            name("half\ud800")
    with pytest.raises(InvalidRequest, match="the patch has half"):
        guest_files.text_bytes("half\ud800", "the patch")
    assert guest_files.name_bytes("odd\udcff") == b"odd\xff"
