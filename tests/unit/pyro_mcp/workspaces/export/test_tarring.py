"""An archive of what a guest says it has."""

import pytest

from pyro_mcp.errors import GuestFailed
from pyro_mcp.workspaces.export.tarring import read_headers
from pyro_wire.messages import Message


def record(path: str, kind: str = "file", **more: object) -> Message:
    """A line of a listing."""
    return {"path": path, "kind": kind, "mode": 0o644, "size": 3, "mtime_ns": 10**9, **more}


def test_what_an_archive_can_hold() -> None:
    listing = [
        record("etc", "dir"),
        record("etc/passwd", mode=0o4755),
        record("etc/link", "link", target="/anywhere/at/all"),
        record("etc/pipe", "other"),
    ]
    found, left_out = read_headers(listing)
    assert [(info.name, info.size, info.mode, info.mtime) for info in found] == [
        ("etc", 0, 0o644, 1),
        ("etc/passwd", 3, 0o4755, 1),
        ("etc/link", 0, 0o644, 1),
    ]
    assert found[2].linkname == "/anywhere/at/all"
    assert left_out == 1


@pytest.mark.parametrize(
    "listing",
    [
        [record("../up")],
        [record("/etc", "dir")],
        [record("a/b")],
        [record("link", "link", target="/etc"), record("link/passwd")],
        [record("a"), record("a")],
        [record("a", size=-1)],
        [record("a", "link")],
    ],
)
def test_what_no_honest_guest_says(listing: list[Message]) -> None:
    with pytest.raises(GuestFailed, match=r"makes no sense|cannot be exported"):
        read_headers(listing)
