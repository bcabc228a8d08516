import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.pyro_mcp.workspaces.seeding.conftest import fill, git, repository

from pyro_mcp.errors import Conflict
from pyro_mcp.workspaces.push import plan as planning
from pyro_mcp.workspaces.push.plan import PushPlan, plan_push
from pyro_mcp.workspaces.seeding import reading
from pyro_mcp.workspaces.seeding.manifest import Item, Manifest, decode, encode
from pyro_mcp.workspaces.seeding.select import SeedOptions, select
from pyro_mcp.workspaces.seeding.store import SeedStore


def item(text: str, mode: int = 0o644) -> Item:
    return Item("file", mode, len(text), 0, hashlib.sha256(text.encode()).digest())


DIRECTORY = Item("directory", 0o755, 0, 0, b"")


def plan(source: Path, have: Manifest, **options: object) -> PushPlan:
    return plan_push(select(source, SeedOptions()), have, **{"base": None, **options})  # type: ignore[arg-type]


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
        ("remove-all", "c"),
        ("remove", "a"),
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
    assert steps(plan(source, have, delete=True)) == [
        ("remove", "kept/old"),
        ("remove", "gone/x"),
        ("remove-empty", "gone"),
    ]


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
    made = plan_push(selection, {b"there": item(key)}, base=None, delete=True)
    assert steps(made) == []
    assert sorted(selection.findings.withheld) == [b".env", b"notes"]
    assert steps(plan(source, {}, include_sensitive=True)) == [("file", "notes"), ("file", "there")]


BASE = {b"d": DIRECTORY, b"d/a": item("a"), b"d/b": item("b"), b"f": item("f"), b"g": item("g")}
"""What host and workspace come from in the tests below; `host()` and `there()` tell how each side changed it."""


def host(source: Path, **changes: str | None) -> Path:
    """The host's tree: BASE, with other contents; None deletes. `d_a` stands for d/a."""
    fill(source, {"d/a": "a", "d/b": "b", "f": "f", "g": "g"})
    for name, content in changes.items():
        path = source / name.replace("_", "/")
        if path.is_dir():
            shutil.rmtree(path)
        elif path.exists():
            path.unlink()
        if content is not None:
            fill(source, {name.replace("_", "/"): content})
    return source


def there(**changes: Item | None) -> Manifest:
    """The workspace's tree, in the same way."""
    named = {name.replace("_", "/").encode(): item for name, item in changes.items()}
    found = {path: item for path, item in BASE.items() if path not in named}
    return {**found, **{path: item for path, item in named.items() if item is not None}}


def test_what_only_one_side_changed_stays_on_that_side(source: Path) -> None:
    made = plan(host(source, f="later"), there(g=item("mine"), d_a=None, own=item("own")), base=BASE)
    assert steps(made) == [("file", "f")]
    assert (made.kept, made.clashes, made.overwritten) == ((b"d/a", b"g"), (), ())
    assert made.agreed == {b"f": item("later")}


def test_a_clash_is_told_and_planned_only_if_the_host_is_to_win(source: Path) -> None:
    have = there(f=item("mine"), g=None, n=item("mine"))
    host(source, f="later", g="later", n="later", d_a="later")
    made = plan(source, have, base=BASE)
    assert made.clashes == (
        (b"f", "changed on both sides"),
        (b"g", "changed on the host, deleted in the workspace"),
        (b"n", "added on both sides"),
    )
    made = plan(source, have, base=BASE, overwrite=True)
    assert steps(made) == [("file", "d/a"), ("file", "f"), ("file", "g"), ("file", "n")]
    assert (made.clashes, made.overwritten) == ((), (b"f", b"g", b"n"))


def test_both_changed_to_the_same_is_agreed_on_from_then(source: Path) -> None:
    made = plan(host(source, f="later", n="new"), there(f=item("later"), n=item("new")), base=BASE)
    assert (steps(made), made.clashes, made.unchanged) == ([], (), 6)
    assert made.agreed == {b"f": item("later"), b"n": item("new")}


def test_what_the_host_deleted_goes_unless_the_workspace_changed_it(source: Path) -> None:
    host(source, d=None, f=None)
    have = there(own=item("own"), d_own=item("own"))
    assert steps(plan(source, have, base=BASE)) == []
    made = plan(source, have, base=BASE, delete=True)
    assert steps(made) == [("remove", "f"), ("remove", "d/b"), ("remove", "d/a")]
    made = plan(source, there(), base=BASE, delete=True)
    assert steps(made)[-1] == ("remove-empty", "d")
    assert made.agreed == dict.fromkeys([b"d", b"d/a", b"d/b", b"f"])
    have = there(f=item("mine"), d_a=item("a", 0o755), d_b=None)
    made = plan(source, have, base=BASE, delete=True)
    assert [path for path, _ in made.clashes] == [b"d/a", b"f"]
    made = plan(source, have, base=BASE, delete=True, overwrite=True)
    assert steps(made) == [("remove", "f"), ("remove", "d/a"), ("remove-empty", "d")]
    assert made.overwritten == (b"d/a", b"f")


def test_many_removals_are_few_steps(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "_MOST_ONE_BY_ONE", 3)
    made = plan(host(source, d=None, f=None), there(), base=BASE, delete=True)
    assert (steps(made), made.removed) == ([("remove", "f"), ("remove-all", "d")], 4)
    made = plan(source, there(d_own=item("own")), base=BASE, delete=True)
    assert (steps(made), made.removed) == ([("remove", "f"), ("remove", "d/b"), ("remove", "d/a")], 3)


def test_a_folder_that_becomes_a_file_takes_nothing_along_that_is_the_workspaces_own(source: Path) -> None:
    host(source, d="a file now")
    made = plan(source, there(), base=BASE)
    assert steps(made) == [("remove", "d/b"), ("remove", "d/a"), ("remove", "d"), ("file", "d")]
    assert made.agreed == {b"d": item("a file now"), b"d/a": None, b"d/b": None}
    have = there(d_own=item("own"))
    assert plan(source, have, base=BASE).clashes == (
        (b"d/own", "changed in the workspace, and below a file of the host"),
    )
    assert steps(plan(source, have, base=BASE, overwrite=True)) == [("remove-all", "d"), ("file", "d")]


def test_what_is_written_has_to_lie_in_directories(source: Path) -> None:
    host(source, d_new="new")
    gone = there(d=None, d_a=None, d_b=None)
    made = plan(source, gone, base=BASE)
    assert steps(made) == [("directory", "d"), ("file", "d/new")]
    assert made.kept == (b"d/a", b"d/b")
    replaced = {**gone, b"d": Item("symlink", 0o777, 1, 0, b"x" * 32)}
    made = plan(source, replaced, base=BASE)
    assert made.clashes == ((b"d", "a directory on the host, none in the workspace"),)
    made = plan(source, replaced, base=BASE, overwrite=True)
    assert steps(made) == [("remove", "d"), ("directory", "d"), ("file", "d/new")]
    (source / "d/new").unlink()
    made = plan(source, replaced, base=BASE)
    assert (steps(made), made.kept) == ([], (b"d",))


def test_a_host_of_which_too_much_cannot_be_read_deletes_nothing(source: Path) -> None:
    selection = select(host(source), SeedOptions())
    selection.findings.skipped_uncounted = 1
    with pytest.raises(Conflict, match="cannot be read"):
        plan_push(selection, there(), base=BASE, delete=True)


def test_without_a_base_the_host_wins_and_what_it_replaces_is_told(source: Path) -> None:
    made = plan(host(source, f="later", d="file"), there(g=item("mine"), own=item("own")), delete=True)
    assert steps(made) == [
        ("remove", "own"),
        ("remove-all", "d"),
        ("file", "d"),
        ("file", "f"),
        ("file", "g"),
    ]
    assert made.overwritten == (b"d", b"f", b"g", b"own")
    assert (made.kept, made.clashes) == ((), ())


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
    made = plan_push(selection, {b"a": item("guest's")}, base={b"a": item("guest's")}, delete=True)
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
@given(before=TREES, after=TREES, based=st.booleans())
def test_after_a_push_the_guest_has_what_the_host_has(
    before: Mapping[str, object], after: Mapping[str, object], based: bool
) -> None:
    with TemporaryDirectory() as directory:
        host, old = Path(directory) / "host", Path(directory) / "old"
        grow(host, after)
        grow(old, before)
        guest = dict(held(old))
        made = plan(host, guest, delete=True, base=guest if based else None)
        for change in made.changes:
            apply(guest, change.action, change.path, host)
        wanted = held(host)
        assert guest == wanted
        assert steps(plan(host, guest, delete=True)) == []
        shutil.rmtree(old)


@settings(max_examples=200, deadline=None)
@given(before=TREES, theirs=TREES, ours=TREES, delete=st.booleans(), overwrite=st.booleans())
def test_a_push_loses_nothing_that_only_the_workspace_has(
    before: Mapping[str, object],
    theirs: Mapping[str, object],
    ours: Mapping[str, object],
    delete: bool,
    overwrite: bool,
) -> None:
    with TemporaryDirectory() as directory:
        places = [Path(directory) / name for name in ("base", "host", "guest")]
        for place, tree in zip(places, (before, theirs, ours), strict=True):
            grow(place, tree)
        base, wanted, guest = map(held, places)
        work = {
            path for path, item in guest.items() if item != base.get(path) and item.kind != "directory"
        } - {path for path, item in wanted.items() if item == guest.get(path)}
        made = plan(places[1], guest, base=base, delete=delete, overwrite=overwrite)
        if made.clashes:
            return
        mine = dict(guest)
        for change in made.changes:
            apply(guest, change.action, change.path, places[1])
        lost = {path for path in work if guest.get(path) != mine[path]}
        assert {path for path in lost if not any(path.startswith(one) for one in made.overwritten)} == set()
        assert overwrite or not made.overwritten
        theirs_only = {
            path for path, item in wanted.items() if item != base.get(path) and item.kind != "directory"
        }
        assert all(guest.get(path) == wanted[path] for path in theirs_only)
        for path, item in made.agreed.items():
            assert wanted.get(path) == item, path
        agreed = {path: item for path, item in {**base, **made.agreed}.items() if item is not None}
        again = plan(places[1], guest, base=agreed, delete=delete)
        assert (steps(again), again.clashes) == ([], ())


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
    inside = [name for name in guest if name.startswith(path + b"/")]
    if action.startswith("remove"):
        assert path in guest
        if action == "remove-empty" and inside:
            return
        assert action == "remove-all" or not inside
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
