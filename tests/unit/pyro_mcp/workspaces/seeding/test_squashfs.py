"""Images are unpacked by squashfs-tools and compared with the tree they were made of."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyro_mcp.workspaces.seeding.squashfs import BLOCK, ImageWriter
from pyro_mcp.workspaces.seeding.squashfs_tables import Extent, Node
from pyro_mcp.workspaces.seeding.store import SeedStore

from .conftest import facts, unpack

ODD_NAMES = [
    b"new\nline",
    b"caf\xe9",
    b" lead",
    b"-dash",
    b"q'\"",
    b"\xff\xfe",
    b"a" * 255,
    b"tab\t",
    b"*?[",
    b"\\back",
]


def seeded(store: SeedStore, source: Path, tmp_path: Path) -> Path:
    image = store.ensure(source).image
    assert image
    return unpack(image, tmp_path / "unpacked")


def test_odd_names_modes_links_and_times_are_kept(store: SeedStore, source: Path, tmp_path: Path) -> None:
    root = os.fsencode(source)
    for number, name in enumerate(ODD_NAMES):
        Path(os.fsdecode(root + b"/" + name)).write_bytes(name)
        os.utime(root + b"/" + name, (number, number))
    # Nobody but root reads a file of mode 0, or gets from the program that unpacks what a umask takes.
    special = (0o4755, 0o2711, 0o000, 0o777) if os.geteuid() == 0 else ()
    for mode in (0o400, 0o711, *special):
        (source / f"mode{mode:o}").touch(mode)
        (source / f"mode{mode:o}").chmod(mode)
    (source / "empty\ndir").mkdir()
    (source / "sticky").mkdir()
    (source / "sticky").chmod(0o1777)
    (source / "out").symlink_to("/etc/passwd")
    (source / "loop").symlink_to("loop")
    (source / "long").symlink_to("x" * 4000)
    (source / "deep" / "/".join("d" * 150)).mkdir(parents=True)
    assert facts(seeded(store, source, tmp_path)) == facts(source)


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, 9 << 20])
def test_contents_of_every_size_are_kept(store: SeedStore, source: Path, tmp_path: Path, size: int) -> None:
    (source / "file").write_bytes(os.urandom(size))
    (source / "next").write_bytes(b"next")
    assert facts(seeded(store, source, tmp_path)) == facts(source)


def test_small_files_share_blocks(store: SeedStore, source: Path, tmp_path: Path) -> None:
    """So that reading many of them waits for the drive once per block: they lie side by side, in the order of their names."""
    contents = [
        os.urandom(size) for size in (40, BLOCK // 2, 1, 9000, BLOCK // 2 + 1, 8000, 7, BLOCK - 1, 300)
    ]
    for number, content in enumerate(contents * 9):
        (source / f"{number:03}").write_bytes(content)
    assert facts(seeded(store, source, tmp_path)) == facts(source)
    image = store.ensure(source).image
    assert image
    assert contents[5] + contents[6] in image.read_bytes()[: 9 * sum(map(len, contents))]


def test_holes_stay_holes(store: SeedStore, source: Path, tmp_path: Path) -> None:
    with (source / "sparse").open("wb") as file:
        file.truncate(64 << 20)
        for at in (0, (20 << 20) - 2, (40 << 20) + 5):
            file.seek(at)
            file.write(b"data")
    for size in (1, BLOCK, 5 << 20):
        with (source / f"nothing{size}").open("wb") as file:
            file.truncate(size)
    image = store.ensure(source).image
    assert image
    assert image.stat().st_blocks * 512 < 1 << 20
    unpacked = unpack(image, tmp_path / "unpacked")
    assert facts(unpacked) == facts(source)
    assert (unpacked / "sparse").stat().st_blocks * 512 < 2 << 20


def test_a_directory_of_thousands_is_kept(store: SeedStore, source: Path, tmp_path: Path) -> None:
    for number in range(3000):
        (source / f"a-rather-long-name-of-a-file-{number:05}").touch()
    for number in range(400):
        (source / f"d{number}").mkdir()
        (source / f"d{number}" / "x").touch()
    assert facts(seeded(store, source, tmp_path)) == facts(source)


NAMES = st.binary(min_size=1, max_size=12).filter(
    lambda n: b"/" not in n and b"\0" not in n and n not in (b".", b"..")
)
LEAF = st.binary(max_size=40) | NAMES.map(lambda target: ("link", target))
TREES = st.dictionaries(
    NAMES,
    st.recursive(LEAF, lambda inner: st.dictionaries(NAMES, inner, max_size=6), max_leaves=25),
    max_size=8,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=TREES)
def test_any_tree_is_kept(tree: dict[bytes, object], tmp_path_factory: pytest.TempPathFactory) -> None:
    directory = tmp_path_factory.mktemp("image")
    root = Node(b"", "directory", 0o755, 7)
    with (directory / "image").open("wb") as file:
        writer = ImageWriter(file)
        expected: dict[bytes, object] = {}
        _grow(root, b"", tree, writer, expected)
        assert writer.finish(root) == file.seek(0, os.SEEK_END)
    unpacked = facts(unpack(directory / "image", directory / "unpacked"))
    found = {path: content for path, (_, _, content) in unpacked.items()}
    found.pop(b"")
    assert {path: c[0] if isinstance(c, tuple) else c for path, c in found.items()} == expected


def _grow(
    node: Node, path: bytes, tree: dict[bytes, object], writer: ImageWriter, expected: dict[bytes, object]
) -> None:
    for name, what in tree.items():
        below = path + b"/" + name
        if isinstance(what, dict):
            child = Node(name, "directory", 0o755, 7)
            expected[below] = None
            _grow(child, below, what, writer, expected)
        elif isinstance(what, bytes):
            child = Node(name, "file", 0o644, 7, extent=writer.store(what))
            expected[below] = len(what)
        else:
            assert isinstance(what, tuple)
            child = Node(name, "symlink", 0o777, 7, target=what[1])
            expected[below] = what[1]
        node.children[name] = child


def test_what_comes_short_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "image").open("wb") as file:
        writer = ImageWriter(file)
        with pytest.raises(ValueError, match="missing"):
            writer.store_blocks(BLOCK + 1, iter([bytes(BLOCK)]))
        with pytest.raises(ValueError, match="belong"):
            writer.store_blocks(BLOCK + 1, iter([bytes(BLOCK), b""]))
        assert writer.store(b"") == Extent(writer.position, 0, ())
