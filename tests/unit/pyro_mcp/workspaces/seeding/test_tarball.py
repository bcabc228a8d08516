"""Archives, honest and hostile."""

import bz2
import gzip
import io
import lzma
import os
import tarfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from pyro_mcp.errors import InvalidRequest, LimitReached
from pyro_mcp.host.paths import Paths
from pyro_mcp.workspaces.seeding import tarball
from pyro_mcp.workspaces.seeding.select import SeedOptions
from pyro_mcp.workspaces.seeding.squashfs import BLOCK
from pyro_mcp.workspaces.seeding.store import Seed, SeedStore

from .conftest import facts, fill, unpack

Add = Callable[[tarfile.TarFile], None]


def member(
    name: str, kind: bytes = tarfile.REGTYPE, link: str = "", content: bytes = b"", mode: int = 0o644
) -> Add:
    def add(archive: tarfile.TarFile) -> None:
        info = tarfile.TarInfo(name)
        info.type, info.linkname, info.size, info.mode = kind, link, len(content), mode
        archive.addfile(info, io.BytesIO(content))

    return add


def archive(path: Path, *members: Add, mode: str = "w") -> Path:
    with tarfile.open(path, mode) as made:  # type: ignore[call-overload]
        for add in members:
            add(made)
    return path


def test_an_archive_is_what_its_directory_is(store: SeedStore, source: Path, tmp_path: Path) -> None:
    fill(source, {"a/b.txt": "b", "new\nline": "", "café": "x", "n" * 200: "long"})
    (source / b"\xff".decode(errors="surrogateescape")).write_text("odd")
    (source / "big").write_bytes(bytes(range(256)) * (BLOCK // 64))
    (source / "run").touch()
    (source / "run").chmod(0o4755 if os.geteuid() == 0 else 0o755)  # unpacking drops the bit for others
    (source / "empty").mkdir()
    (source / "link").symlink_to("/etc/passwd")
    (source / "hard").hardlink_to(source / "a" / "b.txt")
    for suffix in (":gz", ":bz2", ":xz", ""):
        path = tmp_path / f"x.tar{suffix.strip(':')}"
        with tarfile.open(path, f"w{suffix}") as made:  # type: ignore[call-overload]
            made.add(source, arcname=".")
        seed = store.ensure(path)
        assert seed.image
        assert facts(unpack(seed.image, tmp_path / f"unpacked{suffix}")) == facts(source)
        report = seed.report
        assert (report.kind, report.files, report.symlinks, report.skipped_count) == ("tar", 8, 1, 0)
    assert len(store.sizes()) == 1  # one content, one image
    assert store.ensure(source).digest == seed.digest


HOSTILE = {
    "upwards": member("../out"),
    "upwards within": member("a/../../out"),
    "absolute": member("/etc/cron.d/x"),
    "device": member("dev", tarfile.CHRTYPE),
    "block device": member("dev", tarfile.BLKTYPE),
    "FIFO": member("fifo", tarfile.FIFOTYPE),
    "hard link out": member("hard", tarfile.LNKTYPE, "/etc/passwd"),
    "hard link upwards": member("hard", tarfile.LNKTYPE, "../../etc/passwd"),
    "hard link to nothing": member("hard", tarfile.LNKTYPE, "none"),
    "hard link to a directory": member("hard", tarfile.LNKTYPE, "d"),
    "below a link": member("link/x"),
    "below a file": member("file/x"),
    "instead of a directory": member("d"),
    "no name": member("."),
    "long name": member("n" * 256),
}


@pytest.mark.parametrize("bad", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_leads_out_or_is_no_file_is_left_out_and_told(
    store: SeedStore, tmp_path: Path, bad: Add
) -> None:
    good = (
        member("d", tarfile.DIRTYPE, mode=0o755),
        member("file", content=b"good"),
        member("link", tarfile.SYMTYPE, "/tmp"),
    )
    seed = store.ensure(archive(tmp_path / "x.tar", *good, bad, member("after", content=b"after")))
    assert seed.image
    unpacked = unpack(seed.image, tmp_path / "unpacked")
    assert sorted(path.name for path in unpacked.rglob("*")) == ["after", "d", "file", "link"]
    assert (seed.report.skipped_count, len(seed.report.skipped)) == (1, 1)
    assert seed.report.skipped[0].reason


def test_the_last_of_a_name_counts(store: SeedStore, tmp_path: Path) -> None:
    seed = store.ensure(
        archive(
            tmp_path / "x.tar",
            member("a", content=b"1"),
            member("./a", content=b"two"),
            member("a/", tarfile.DIRTYPE),
        )
    )
    assert seed.image
    assert seed.report.directories == 1
    seed = store.ensure(archive(tmp_path / "y.tar", member("a", content=b"1"), member("./a", content=b"two")))
    assert seed.image
    assert (unpack(seed.image, tmp_path / "unpacked") / "a").read_bytes() == b"two"


def test_secrets_of_an_archive_are_withheld(store: SeedStore, tmp_path: Path) -> None:
    key = b"-----BEGIN RSA PRIVATE KEY-----\n"
    path = archive(
        tmp_path / "x.tar", member("a/.env", content=b"X=1"), member("odd.txt", content=key), member("ok")
    )
    assert store.ensure(path).report.withheld == ("odd.txt", "a/.env")
    assert store.ensure(path, SeedOptions(include_sensitive=True)).report.files == 3


def test_endless_archives_are_refused(
    store: SeedStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tarball, "_MOST_MEMBERS", 50)
    path = archive(tmp_path / "x.tar", *(member("same") for _ in range(60)))
    with pytest.raises(LimitReached):
        store.ensure(path)
    monkeypatch.setattr(tarball, "_MOST_MEMBERS", 5000)
    monkeypatch.setattr(tarball, "_MOST_KEPT", 50)
    with pytest.raises(LimitReached):
        store.ensure(archive(tmp_path / "y.tar", *(member(f"d{n}/x/y") for n in range(30))))
    assert store.sizes() == {}


def bomb(path: Path, head: bytes, length: int) -> Path:
    """An archive of a few kilobytes that unpacks to `length` bytes."""
    packers: dict[str, Callable[[bytes], bytes]] = {
        ".gz": gzip.compress,
        ".bz2": bz2.compress,
        ".xz": lzma.compress,
    }
    path.write_bytes(packers[path.suffix](head + bytes(length)))
    return path


def header(kind: bytes, size: int) -> bytes:
    info = tarfile.TarInfo("x")
    info.type, info.size = kind, size
    return info.tobuf(tarfile.GNU_FORMAT)


@pytest.mark.parametrize("suffix", ["gz", "bz2", "xz"])
@pytest.mark.parametrize(
    "kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_SPARSE, tarfile.REGTYPE]
)
def test_a_bomb_fills_neither_disk_nor_memory(tmp_path: Path, kind: bytes, suffix: str) -> None:
    small = SeedStore(store_paths(tmp_path), drive_bytes=8 << 20)
    path = bomb(tmp_path / f"x.tar.{suffix}", header(kind, 20 << 20), 24 << 20)
    assert path.stat().st_size < 50_000
    tracemalloc.start()
    with pytest.raises((InvalidRequest, LimitReached)):
        small.ensure(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12 << 20  # xz alone has a window of 8 MiB
    assert small.sizes() == {}


def store_paths(tmp_path: Path) -> Paths:
    return Paths(tmp_path / "c", tmp_path / "s", tmp_path / "r", tmp_path / "g")


@pytest.mark.parametrize("keep", [0, 1, 511, 512, 700, 1100])
def test_a_broken_archive_is_an_invalid_request(store: SeedStore, tmp_path: Path, keep: int) -> None:
    whole = archive(tmp_path / "x.tar", member("a", content=b"x" * 700)).read_bytes()
    path = tmp_path / "broken.tar"
    path.write_bytes(whole[:keep])
    with pytest.raises(InvalidRequest) as refused:
        store.ensure(path)
    assert refused.value.hint
    assert store.sizes() == {}


def test_an_archive_is_read_once(store: SeedStore, tmp_path: Path) -> None:
    path = archive(tmp_path / "x.tar", member("a", content=b"1"), member(".env"))
    first = store.ensure(path)
    again = store.ensure(path)
    assert (first.report.cached, again.report.cached) == (False, True)
    assert (again.digest, again.report.withheld) == (first.digest, first.report.withheld)
    archive(path, member("a", content=b"2"))
    assert changed(store.ensure(path), first)


def changed(seed: Seed, other: Seed) -> bool:
    return seed.digest != other.digest
