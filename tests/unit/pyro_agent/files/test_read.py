"""Files are read in part or whole; what is no file is never opened; no path leads out of the root."""

from __future__ import annotations

import hashlib
import os
from typing import cast

import pytest
from tests.unit.pyro_agent.workspace_root import Desk, Root
from tests.unit.pyro_agent.workspace_root import root as root

from pyro_agent.disk import mounts
from pyro_agent.files.read import Reading, read_file
from pyro_agent.workers.desk import Desk as RealDesk
from pyro_wire.faults import FaultError
from pyro_wire.messages import Message, MessageError

_DATA = bytes(range(256)) * 3000


def read(**request: object) -> tuple[bytes, Message]:
    desk = Desk()
    answer = read_file(request, cast("RealDesk", desk))
    return bytes(desk.out), answer


@pytest.mark.parametrize("hashed", [False, True])
@pytest.mark.parametrize(
    ("offset", "limit"), [(0, None), (0, 0), (5, 10), (262_143, 2), (700_000, None), (10**9, 5), (0, 10**9)]
)
def test_any_part_of_a_file_can_be_read(root: Root, offset: int, limit: int | None, hashed: bool) -> None:
    (root.workspace / "f").write_bytes(_DATA)
    data, answer = read(path="f", offset=offset, limit=limit, hash=hashed)
    assert data == _DATA[offset:][:limit]
    assert (answer["size"], answer["kind"]) == (len(_DATA), "file")
    assert answer["sha256"] == (hashlib.sha256(_DATA).hexdigest() if hashed else None)


def test_a_link_is_followed_inside_the_root_and_told(root: Root) -> None:
    (root.path / "tmp/f").write_text("inside")
    (root.workspace / "l").symlink_to("/tmp/f")
    (root.workspace / "up").symlink_to("../../../../../../tmp/f")
    data, answer = read(path="l")
    assert (data, answer["target"]) == (b"inside", "/tmp/f")
    assert read(path="up")[0] == read(path="../../../../tmp/f")[0] == read(path="/tmp/f")[0] == b"inside"


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("none", "not_found"),
        ("f/below", "not_found"),
        ("", "invalid_request"),
        ("pipe", "invalid_request"),
        ("loop", "invalid_request"),
        ("x" * 256, "invalid_request"),
        ("x/" * 3000, "invalid_request"),
    ],
)
def test_what_is_no_file_is_told_at_once(root: Root, path: str, code: str) -> None:
    (root.workspace / "f").write_text("x")
    (root.workspace / "loop").symlink_to("loop")
    os.mkfifo(root.workspace / "pipe")
    with pytest.raises(FaultError) as raised:
        read(path=path)
    assert raised.value.fault.code == code


def test_who_reads_a_directory_is_told_what_lists_it(root: Root) -> None:
    (root.workspace / "src").mkdir()
    with pytest.raises(FaultError) as raised:
        read(path="src")
    assert "workspace_file_list" in (raised.value.fault.hint or "")


def test_the_seeds_own_state_can_be_read(root: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    seed = root.disk / "seed"
    seed.mkdir()
    (seed / "f").write_text("before")
    (root.workspace / "f").write_text("after")
    monkeypatch.setattr(mounts, "SEED", str(seed))
    with pytest.raises(FaultError, match="began empty"):
        read(path="f", layer="seed")
    monkeypatch.setattr(os.path, "ismount", lambda path: path == str(seed))
    assert read(path="f", layer="seed")[0] == read(path="/workspace/f", layer="seed")[0] == b"before"
    with pytest.raises(FaultError, match="only /workspace"):
        read(path="/etc/passwd", layer="seed")


@pytest.mark.parametrize("request_", [{}, {"path": 1}, {"path": "f", "offset": -1}, {"path": "f", "hash": 1}])
def test_a_malformed_request_is_told(request_: Message) -> None:
    with pytest.raises(MessageError):
        Reading.from_message(request_)
