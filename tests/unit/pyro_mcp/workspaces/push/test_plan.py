import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.pyro_mcp.workspaces.seeding.conftest import fill, git, repository

from pyro_mcp.workspaces.push.plan import PushPlan, plan_push
from pyro_mcp.workspaces.seeding import reading
from pyro_mcp.workspaces.seeding.manifest import Item, Manifest, decode, encode
from pyro_mcp.workspaces.seeding.select import SeedOptions, select
from pyro_mcp.workspaces.seeding.store import SeedStore


def item(text: str, mode: int = 0o644) -> Item:
    return Item("file", mode, len(text), 0, hashlib.sha256(text.encode()).digest())


DIRECTORY = Item("directory", 0o755, 0, 0, b"")


def plan(source: Path, have: Manifest, **options: object) -> PushPlan:
    return plan_push(select(source, SeedOptions()), have, **options)  # type: ignore[arg-type]


def steps(made: PushPlan) -> list[tuple[str, str]]:
    return [(change.action, change.path.decode()) for change in made.changes]


def test_only_what_differs_is_pushed(source: Path) -> None:
    fill(source, {"same": "1", "changed": "new", "added/deep/file": "x", "tool": "run"})
    (source / "tool").chmod(0o755)
    (source / "link").symlink_to("same")
    have = {b"same": item("1"), b"changed": item("old"), b"tool": item("run"), b"extra": item("guest's own")}
    made = plan(source, have)
    assert steps(made) == [
        ("directory", "added"),
        ("directory", "added/deep"),
        ("file", "added/deep/file"),
        ("file", "changed"),
        ("symlink", "link"),
        ("mode", "tool"),
    ]
    assert (made.unchanged, made.size) == (1, len("new") + len("x") + len("same"))
    assert [c.digest.hex() for c in made.changes if c.path == b"changed"] == [
        hashlib.sha256(b"new").hexdigest()
    ]


def test_a_file_that_becomes_a_directory_makes_way_first(source: Path) -> None:
    fill(source, {"a/b": "x", "c": "y"})
    have = {b"a": item("file"), b"c": DIRECTORY, b"c/d": item("z")}
    assert steps(plan(source, have)) == [
        ("remove", "a"),
        ("remove", "c"),
        ("directory", "a"),
        ("file", "a/b"),
        ("file", "c"),
    ]


def test_deleting_takes_whole_directories_and_only_when_asked(source: Path) -> None:
    fill(source, {"kept/a": "1"})
    have = {
        b"kept": DIRECTORY,
        b"kept/a": item("1"),
        b"kept/old": item("2"),
        b"gone": DIRECTORY,
        b"gone/x": item("3"),
    }
    assert steps(plan(source, have)) == []
    assert steps(plan(source, have, delete=True)) == [("remove", "gone"), ("remove", "kept/old")]


def test_what_the_rules_leave_out_on_the_host_stays_in_the_guest(source: Path) -> None:
    repository(source, {"a": "1", ".gitignore": "node_modules\n*.o\n"})
    fill(source, {".env": "host's own", "x.o": ""})
    have = {
        b".git": DIRECTORY, b".git/HEAD": item("ref"), b".gitignore": item("node_modules\n*.o\n"), b"a": item("1"),
        b"node_modules": DIRECTORY, b"node_modules/m.js": item("m"), b"lib": DIRECTORY, b"lib/y.o": item(""),
        b"lib/z.c": item(""), b".env": item("guest's own"),
    }  # fmt: skip
    assert steps(plan(source, have, delete=True)) == [("remove", "lib/z.c")]


def test_the_history_is_never_pushed(source: Path) -> None:
    repository(source, {"a": "1"})
    repository(source / "nested", {"b": "2"})
    assert not [path for _, path in steps(plan(source, {})) if ".git" in path.split("/")]


def test_secrets_are_withheld_from_a_push_too(source: Path) -> None:
    key = "-----BEGIN PRIVATE KEY-----\n"
    fill(source, {"notes": key, "there": key, ".env": "X=1"})
    selection = select(source, SeedOptions())
    made = plan_push(selection, {b"there": item(key)}, delete=True)
    assert steps(made) == []
    assert sorted(selection.findings.withheld) == [b".env", b"notes"]
    assert steps(plan(source, {}, include_sensitive=True)) == [("file", "notes"), ("file", "there")]


def test_what_the_guest_changed_too_is_told(source: Path) -> None:
    fill(source, {"both": "host", "host": "host", "same": "s"})
    base = {
        b"both": item("base"),
        b"host": item("base"),
        b"same": item("s"),
        b"d": DIRECTORY,
        b"d/x": item("base"),
    }
    have = {**base, b"both": item("guest"), b"same": item("s"), b"d/x": item("guest")}
    made = plan(source, have, base=base, delete=True)
    assert made.overwritten == (b"d", b"both")


def test_what_was_read_for_the_seed_is_not_read_again(
    store: SeedStore, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_TICK_NS", -10_000_000_000)
    fill(source, {f"f{number}": str(number) for number in range(9)})
    digest = store.ensure(source).digest
    assert digest
    (source / "f1").write_text("X")
    read: list[bytes] = []

    def watched(entry: object) -> object:
        read.append(entry.path)  # type: ignore[attr-defined]
        return reading.fingerprint(entry)  # type: ignore[arg-type]

    made = plan(source, store.manifest(digest), known=store.hashes(source).load(), read=watched)
    assert steps(made) == [("file", "f1")]
    assert read == [b"f1"]


def test_an_unreadable_file_is_told_and_stays(source: Path) -> None:
    fill(source, {"a": "host"})
    selection = select(source, SeedOptions())
    (source / "a").unlink()
    made = plan_push(selection, {b"a": item("guest's")}, delete=True)
    assert steps(made) == []
    assert selection.findings.skipped[0][0] == b"a"


def test_a_push_after_a_commit_on_the_host(source: Path, store: SeedStore, tmp_path: Path) -> None:
    repository(source, {"a": "1", "b": "2"})
    seed = store.ensure(source)
    assert seed.digest
    (source / "b").unlink()
    fill(source, {"a": "11", "c": "3"})
    git(source, "add", "-A")
    git(source, "commit", "-q", "-m", "second")
    made = plan(source, store.manifest(seed.digest), delete=True)
    assert steps(made) == [("remove", "b"), ("file", "a"), ("file", "c")]


NAMES = st.sampled_from(["a", "b", "c", "d"])
TREES = st.recursive(
    st.sampled_from(["", "1", "2", "long"]) | NAMES.map(lambda name: ("link", name)),
    lambda inner: st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
).filter(lambda tree: isinstance(tree, dict))


@settings(max_examples=60, deadline=None)
@given(before=TREES, after=TREES)
def test_after_a_push_the_guest_has_what_the_host_has(
    before: Mapping[str, object], after: Mapping[str, object]
) -> None:
    with TemporaryDirectory() as directory:
        host, old = Path(directory) / "host", Path(directory) / "old"
        grow(host, after)
        grow(old, before)
        guest = dict(held(old))
        made = plan(host, guest, delete=True)
        for change in made.changes:
            apply(guest, change.action, change.path, host)
        wanted = held(host)
        assert guest == wanted
        assert steps(plan(host, guest, delete=True)) == []
        shutil.rmtree(old)


def grow(path: Path, tree: Mapping[str, object]) -> None:
    path.mkdir()
    for name, what in tree.items():
        if isinstance(what, Mapping):
            grow(path / name, what)
        elif isinstance(what, str):
            (path / name).write_text(what)
        else:
            assert isinstance(what, tuple)
            (path / name).symlink_to(what[1])


def held(root: Path) -> dict[bytes, Item]:
    return {str(path.relative_to(root)).encode(): seen(path) for path in root.rglob("*")}


def seen(path: Path) -> Item:
    if path.is_symlink():
        target = str(path.readlink()).encode()
        return Item("symlink", 0o777, len(target), 0, hashlib.sha256(target).digest())
    if path.is_dir():
        return Item("directory", path.stat().st_mode & 0o7777, 0, 0, b"")
    return item(path.read_text(), path.stat().st_mode & 0o7777)


def apply(guest: dict[bytes, Item], action: str, path: bytes, host: Path) -> None:
    """What a guest does with one step; refuses steps that could not work on a real tree."""
    parent = path.rpartition(b"/")[0]
    if action == "remove":
        assert path in guest
        for gone in [name for name in guest if name == path or name.startswith(path + b"/")]:
            del guest[gone]
        return
    assert not parent or guest[parent].kind == "directory"
    new = seen(host / path.decode())
    if action == "mode":
        guest[path] = guest[path]._replace(mode=new.mode)
        return
    assert path not in guest or guest[path].kind == new.kind
    assert new.kind == action
    guest[path] = new


@given(
    st.dictionaries(
        st.binary(min_size=1, max_size=8).filter(lambda path: b"\0" not in path),
        st.builds(
            Item,
            st.sampled_from(["file", "directory", "symlink"]),
            st.integers(0, 0o7777),
            st.integers(0, 2**40),
            st.integers(-5, 2**33),
            st.binary(min_size=32, max_size=32) | st.just(b""),
        ),
    )
)
def test_a_manifest_is_read_as_it_was_written(manifest: dict[bytes, Item]) -> None:
    assert decode(encode(manifest.items())) == manifest
