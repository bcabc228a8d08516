import os
import threading
from pathlib import Path

import pytest

from pyro_mcp.errors import InvalidRequest, LimitReached, NotFound
from pyro_mcp.host.paths import Paths
from pyro_mcp.workspaces.seeding import build, reading
from pyro_mcp.workspaces.seeding import store as store_module
from pyro_mcp.workspaces.seeding.select import SeedOptions, select
from pyro_mcp.workspaces.seeding.squashfs import ImageWriter
from pyro_mcp.workspaces.seeding.store import SeedStore

from .conftest import fill, git, repository, unpack

KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n"


@pytest.fixture(autouse=True)
def quick_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files made a moment ago count as settled, or every test would have to wait for the clock to tick."""
    monkeypatch.setattr(reading, "_TICK_NS", -10_000_000_000)


def test_no_seed_is_no_image(store: SeedStore, source: Path) -> None:
    nothing = store.ensure(None)
    assert (nothing.image, nothing.digest, nothing.report.kind) == (None, None, "none")
    empty = store.ensure(source)
    assert (empty.image, empty.report.kind, empty.report.files) == (None, "directory", 0)


def test_a_seed_is_built_once(store: SeedStore, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(source, {"a/b": "1", "c": "22"})
    first = store.ensure(source)
    assert (first.report.files, first.report.directories, first.report.bytes, first.report.cached) == (
        2,
        1,
        3,
        False,
    )
    monkeypatch.setattr(build, "store_file", None)  # nothing may be read
    again = store.ensure(source)
    assert again.report.cached
    assert (again.digest, again.image) == (first.digest, first.image)


def test_the_one_directory_that_all_lies_below_is_told(store: SeedStore, source: Path) -> None:
    fill(source, {"thing-1.0/src/a": "1", "thing-1.0/src/b": "1"})
    assert store.ensure(source).report.top == "thing-1.0/src"
    fill(source, {"thing-1.0/README": "x"})
    assert store.ensure(source).report.top == "thing-1.0"
    fill(source, {"README": "x"})
    assert store.ensure(source).report.top == ""


def test_a_change_is_another_seed_and_a_copy_is_the_same(
    store: SeedStore, source: Path, tmp_path: Path
) -> None:
    fill(source, {"a": "1"})
    first = store.ensure(source)
    copy = tmp_path / "copy"
    copy.mkdir(source.stat().st_mode)
    fill(copy, {"a": "1"})
    for name in ("a", "."):
        status = (source / name).stat()
        os.utime(copy / name, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert store.ensure(copy).digest == first.digest
    status = (source / "a").stat()
    (source / "a").write_text("2")
    os.utime(source / "a", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert store.ensure(source).digest != first.digest  # same size, same time: the change time tells
    (source / "a").chmod(0o755)
    assert len({store.ensure(source).digest, first.digest}) == 2
    assert len(store.sizes()) == 3


def test_options_are_part_of_the_choice(store: SeedStore, source: Path) -> None:
    repository(source, {"a": "", ".gitignore": "x\n"})
    fill(source, {"x": "", ".env": ""})
    plain = store.ensure(source)
    everything = store.ensure(source, SeedOptions(include_ignored=True, include_sensitive=True))
    assert everything.report.files == plain.report.files + 2
    assert (plain.report.ignored, plain.report.withheld) == (("x",), (".env",))
    assert (everything.report.ignored_count, everything.report.withheld_count) == (0, 0)


def test_keys_are_known_by_their_content(store: SeedStore, source: Path) -> None:
    repository(source, {"tests/key.txt": KEY, "a": ""})
    fill(source, {"notes.txt": KEY, "code.py": f'KEY = """{KEY}"""\n'})
    for _ in range(2):  # the second time from the record of the first
        report = store.ensure(source).report
        assert report.withheld == ("notes.txt",)
        assert report.sensitive_tracked == ("tests/key.txt",)
        assert report.git is not None
    assert store.ensure(source, SeedOptions(include_sensitive=True)).report.withheld == ()


def test_many_at_once_build_it_once(store: SeedStore, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(source, {f"f{number}": str(number) for number in range(50)})
    builds: list[int] = []
    original = build.store_entries

    def counted(*arguments: object, **options: object) -> object:
        builds.append(1)
        return original(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(store_module, "store_entries", counted)
    digests: list[str | None] = []
    threads = [
        threading.Thread(target=lambda: digests.append(store.ensure(source).digest)) for _ in range(10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(builds) == 1
    assert len(digests) == 10
    assert len(set(digests)) == 1


def test_a_damaged_image_is_made_again(store: SeedStore, source: Path) -> None:
    fill(source, {"a": "1"})
    first = store.ensure(source)
    assert first.image
    assert first.digest
    os.truncate(first.image, 4096)
    assert store.find(first.digest) is None
    again = store.ensure(source)
    assert again.digest == first.digest
    assert store.find(first.digest) == first.image


def test_the_image_is_a_drive_of_one_size_and_takes_no_more_than_it_holds(
    store: SeedStore, source: Path
) -> None:
    fill(source, {"a": "1"})
    image = store.ensure(source).image
    assert image
    assert image.stat().st_size == 1 << 30
    assert image.stat().st_blocks * 512 < 1 << 20


def test_the_manifest_tells_what_the_image_holds(store: SeedStore, source: Path) -> None:
    fill(source, {"d/a\n": "1"})
    (source / "link").symlink_to("x")
    digest = store.ensure(source).digest
    assert digest
    found = store.manifest(digest)
    assert {path: (item.kind, item.size) for path, item in found.items()} == {
        b"": ("directory", 0),
        b"d": ("directory", 0),
        b"d/a\n": ("file", 1),
        b"link": ("symlink", 1),
    }
    with pytest.raises(NotFound):
        store.manifest("0" * 64)


def test_what_no_workspace_uses_is_pruned(store: SeedStore, source: Path) -> None:
    fill(source, {"a": "1"})
    kept = store.ensure(source).digest
    fill(source, {"a": "22"})
    gone = store.ensure(source).digest
    assert kept
    assert gone
    (store._images / "half.new").touch()
    pruned = store.prune({kept})
    assert pruned.digests == (gone,)
    assert pruned.freed_bytes > 0
    assert store.find(kept)
    assert not list(store._images.glob("*.new"))
    assert len(list(store._images.iterdir())) == 3


def test_a_file_that_changes_while_it_is_read_is_read_again(
    store: SeedStore, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(source, {"a": "before"})
    original = reading._read_once
    changes = iter(["after, and longer"])

    def change_once(*arguments: object) -> object:
        stored = original(*arguments)  # type: ignore[arg-type]
        for text in changes:
            (source / "a").write_text(text)
        return stored

    monkeypatch.setattr(reading, "_read_once", change_once)
    seed = store.ensure(source)
    assert seed.image
    assert (unpack(seed.image, tmp_path / "unpacked") / "a").read_text() == "after, and longer"
    assert seed.report.changing == ()
    assert not store.ensure(source).report.cached  # what was chosen is not what was read


def test_a_file_that_never_stops_changing_is_told(
    store: SeedStore, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(source, {"log": "x", "quiet": ""})
    original = reading._read_once

    def append(descriptor_owner: object, descriptor: int, found: os.stat_result) -> object:
        stored = original(descriptor_owner, descriptor, found)  # type: ignore[arg-type]
        if found.st_size:
            with (source / "log").open("a") as file:
                file.write("more")
        return stored

    monkeypatch.setattr(reading, "_read_once", append)
    report = store.ensure(source).report
    assert report.changing == ("log",)
    assert not store.ensure(source).report.cached


def test_a_file_that_shrinks_or_goes_is_skipped(
    store: SeedStore, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(source, {"gone": "x", "shrinks": "x", "stays": "x"})
    original = select

    def choose(*arguments: object) -> object:
        selection = original(*arguments)  # type: ignore[arg-type]
        (source / "gone").unlink()
        return selection

    monkeypatch.setattr(store_module, "select", choose)
    once = reading._read_once

    def come_short(writer: ImageWriter, descriptor: int, found: os.stat_result) -> object:
        name = Path(f"/proc/self/fd/{descriptor}").readlink().name
        return None if name == "shrinks" else once(writer, descriptor, found)

    monkeypatch.setattr(reading, "_read_once", come_short)
    report = store.ensure(source).report
    assert [(skipped.path, skipped.reason) for skipped in report.skipped] == [
        ("gone", "unreadable: no such file or directory"),
        ("shrinks", "it kept shrinking while it was read"),
    ]
    assert report.files == 1


def test_an_unreadable_file_is_told(store: SeedStore, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(source, {"closed": "x", "open": "y"})
    opened = os.open

    def refuse(path: object, *arguments: object) -> int:
        if str(path).endswith("closed'"):
            raise PermissionError(13, "Permission denied", path)
        return opened(path, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", refuse)
    report = store.ensure(source).report
    assert [(skipped.path, skipped.reason) for skipped in report.skipped] == [
        ("closed", "unreadable: permission denied")
    ]


def test_lists_are_cut_and_counts_are_not(store: SeedStore, source: Path) -> None:
    fill(source, {f"secrets/{number}.key": "" for number in range(120)} | {"near.key": ""})
    report = store.ensure(source).report
    assert (len(report.withheld), report.withheld_count) == (50, 121)
    assert report.withheld[0] == "near.key"


def test_what_does_not_fit_is_refused(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = Paths(tmp_path / "c", tmp_path / "s", tmp_path / "r", tmp_path / "g")
    (source / "big").write_bytes(os.urandom(2 << 20))
    with pytest.raises(LimitReached, match="larger than"):
        SeedStore(paths, drive_bytes=1 << 20).ensure(source)
    monkeypatch.setattr(store_module, "free_disk", lambda path: 513 << 20)
    with pytest.raises(LimitReached, match="disk"):
        SeedStore(paths).ensure(source)


def test_a_disk_that_fills_up_leaves_nothing_behind(
    store: SeedStore, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(source, {"a": "1"})

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(build.ImageBuild, "directory", full)
    with pytest.raises(LimitReached):
        store.ensure(source)
    assert list(store._images.iterdir()) == []


@pytest.mark.parametrize("kind", ["text", "fifo"])
def test_what_cannot_be_a_seed_is_refused(store: SeedStore, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x"
    if kind == "text":
        path.write_text("no archive")
    else:
        os.mkfifo(path)
    with pytest.raises(InvalidRequest) as refused:
        store.ensure(path)
    assert refused.value.hint
    with pytest.raises(NotFound):
        store.ensure(tmp_path / "nowhere")


def test_a_repository_is_the_same_repository_inside(store: SeedStore, source: Path, tmp_path: Path) -> None:
    repository(source, {"a": "1", "d/b": "2", ".gitignore": "*.o\n"})
    git(source, "gc", "-q")
    fill(source, {"a": "changed", "c": "new", "x.o": ""})
    git(source, "add", "c")
    image = store.ensure(source).image
    assert image
    inside = unpack(image, tmp_path / "unpacked")
    for command in (
        ["status", "--porcelain"],
        ["log", "--format=%H"],
        ["diff", "HEAD"],
        ["fsck", "--strict"],
    ):
        assert git(inside, *command) == git(source, *command), command
