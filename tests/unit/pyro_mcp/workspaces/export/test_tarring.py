"""An archive of what a guest sends of its files."""

import io
import json
import tarfile

import pytest

from pyro_mcp.errors import GuestFailed, LimitReached
from pyro_mcp.redaction import Redactor
from pyro_mcp.workspaces.export import tarring
from pyro_mcp.workspaces.export.streaming import TreeStream
from pyro_mcp.workspaces.export.tarring import Archive

TOKEN = b"the-token-of-this"


def record(path: str, kind: str = "file", content: bytes | None = None, **more: object) -> bytes:
    """An entry as the agent sends it."""
    content = (b"abc" if content is None else content) if kind == "file" else b""
    described = {"path": path, "kind": kind, "mode": 0o644, "size": len(content), "mtime_ns": 10**9, **more}
    return json.dumps(described).encode() + b"\n" + content


def made_of(data: bytes, *, size: int = 1 << 20, room: int = 1 << 20) -> tuple[Archive, bytearray]:
    """What becomes of a stream that comes in pieces of so many bytes."""
    written, seen = bytearray(), []
    archive = Archive(written.extend, Redactor({"T": TOKEN}), room=room, on_entry=lambda: seen.append(True))
    stream = TreeStream(archive)
    for at in range(0, len(data), size):
        stream.feed(data[at : at + size])
    stream.end()
    archive.close()
    assert len(seen) == archive.entries
    return archive, written


@pytest.mark.parametrize("size", [1, 7, 512, 100_000])
def test_what_an_archive_can_hold_however_it_comes(size: int) -> None:
    listing = [
        record("etc", "dir"),
        record("etc/passwd", content=b"root\n" * 300, mode=0o4755),
        record("etc/empty", content=b""),
        record("etc/link", "link", target="/anywhere/at/all"),
        record("etc/pipe", "other"),
        record("caf\udce9" + "x" * 200),
    ]
    archive, written = made_of(b"".join(listing), size=size)
    assert (archive.entries, archive.left_out, archive.secrets) == (5, 1, {})
    with tarfile.open(fileobj=io.BytesIO(written), errorlevel=2) as found:
        infos = found.getmembers()
        assert [(info.name, info.size, info.mode, info.mtime) for info in infos] == [
            ("etc", 0, 0o644, 1),
            ("etc/passwd", 1500, 0o4755, 1),
            ("etc/empty", 0, 0o644, 1),
            ("etc/link", 0, 0o644, 1),
            ("caf\udce9" + "x" * 200, 3, 0o644, 1),
        ]
        assert infos[3].linkname == "/anywhere/at/all"
        content = found.extractfile("etc/passwd")
        assert content is not None
        assert content.read() == b"root\n" * 300


@pytest.mark.parametrize(
    "listing",
    [
        [record("../up")],
        [record("/etc", "dir")],
        [record("a/b")],
        [record("link", "link", target="/etc"), record("link/passwd")],
        [record("file"), record("file/passwd")],
        [record("a"), record("a")],
        [record("a", size=-1)],
        [record("a", size=4)],
        [record("a", size=2)],
        [record("a", mode=0o10644)],
        [record("a", "link")],
        [record("\ud800")],
        [record("a", "link", target="\ud800")],
        [b"x" * 100_000],
        [b"no JSON\n"],
        [b'{"path": "a"'],
    ],
)
@pytest.mark.parametrize("size", [1, 100_000])
def test_what_no_honest_guest_says(listing: list[bytes], size: int) -> None:
    with pytest.raises(GuestFailed, match=r"makes no sense|cannot be exported"):
        made_of(b"".join(listing), size=size)


def test_more_than_the_host_has_room_for_is_refused_before_it_comes() -> None:
    with pytest.raises(LimitReached):
        made_of(
            json.dumps({"path": "a", "kind": "file", "mode": 0, "size": 1 << 40, "mtime_ns": 0}).encode()
            + b"\n"
        )
    with pytest.raises(LimitReached):
        made_of(b"".join(record(f"{number}", "dir") for number in range(100)), room=100 * 512)


def test_paths_without_end_are_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tarring, "_MOST_PATH_BYTES", 1000)
    with pytest.raises(LimitReached, match="too long in all"):
        made_of(b"".join(record(f"{number:0100}", "other") for number in range(11)))
    assert made_of(b"".join(record(f"{number:0100}", "other") for number in range(10)))[0].left_out == 10


def test_secrets_are_found_in_contents_names_and_targets() -> None:
    archive, _ = made_of(
        record("conf", content=b"x" * 5000 + TOKEN)
        + record("plain")
        + record(TOKEN.decode())
        + record("link", "link", target=TOKEN.hex()),
        size=100,
    )
    assert archive.secrets == {b"conf": ("T",), TOKEN: ("T",), b"link": ("T",)}
