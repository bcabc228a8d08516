"""What layers come to, exactly; and that nothing in them leads anywhere else."""

import io

import pytest
from tests.saved_images import Entry, device, directory, fifo, file, hard_link, layer, link

from pyro_mcp.environments.oci.layers import LayerStream
from pyro_mcp.environments.oci.limits import Limits
from pyro_mcp.environments.oci.tarstream import members
from pyro_mcp.environments.oci.tree import Inode, Tree
from pyro_mcp.errors import InvalidRequest, LimitReached


def merged(*layers: list[Entry], limits: Limits | None = None) -> Tree:
    tree = Tree(limits)
    for number, entries in enumerate(layers):
        tree.apply(number, members(LayerStream(io.BytesIO(layer(*entries)), None)))
    return tree


def shown(tree: Tree) -> dict[str, str]:
    """Path to what is there: `d`, a link's target, or layer.place of a file's content."""

    def what(inode: Inode) -> str:
        if inode.kind == "link":
            return f"-> {inode.target.decode()}"
        return ".".join(map(str, inode.origin)) if inode.kind == "file" else inode.kind[0]

    return {path.decode(): what(inode) for path, inode in tree.walk()}


_BASE = [directory("d"), file("d/a"), file("d/b"), directory("d/e"), file("d/e/c"), link("l", "d"), file("f")]


@pytest.mark.parametrize(
    ("above", "wanted"),
    [
        pytest.param([], {"d": "d", "d/a": "0.1", "d/b": "0.2", "d/e": "d", "d/e/c": "0.4", "f": "0.6", "l": "-> d"}),
        pytest.param(
            [file("d/.wh.a"), file(".wh.f"), file(".wh.l")], {"d": "d", "d/b": "0.2", "d/e": "d", "d/e/c": "0.4"}
        ),
        pytest.param([file(".wh.d")], {"f": "0.6", "l": "-> d"}),
        pytest.param([file(".wh.d"), directory("d"), file("d/new")], {"d": "d", "d/new": "1.2", "f": "0.6", "l": "-> d"}),
        # in whatever order: a whiteout is about the layers below
        pytest.param([directory("d"), file("d/new"), file(".wh.d")], {"d": "d", "d/new": "1.1", "f": "0.6", "l": "-> d"}),
        pytest.param(
            [file("d/new"), file("d/.wh..wh..opq"), file("d/a")],
            {"d": "d", "d/new": "1.0", "d/a": "1.2", "f": "0.6", "l": "-> d"},
        ),
        pytest.param([file(".wh..wh..opq"), file("x")], {"x": "1.1"}),
        pytest.param([file("d")], {"d": "1.0", "f": "0.6", "l": "-> d"}),
        pytest.param(
            [directory("f"), file("f/x"), file(".wh.d")], {"f": "d", "f/x": "1.1", "l": "-> d"}
        ),
        pytest.param([link("d", "/etc"), file(".wh.f")], {"d": "-> /etc", "l": "-> d"}),
        pytest.param(
            [directory("l"), file("l/x"), file(".wh.d"), file(".wh.f")], {"l": "d", "l/x": "1.1"}
        ),
        # below a link there is nothing to take away, whatever it leads to
        pytest.param([file("l/.wh.a"), file("l/.wh..wh..opq"), file(".wh.f"), file("f/.wh.x")], {
            "d": "d", "d/a": "0.1", "d/b": "0.2", "d/e": "d", "d/e/c": "0.4", "l": "-> d"
        }),
        pytest.param([file(".wh..wh..opq"), file("deep/er/x")], {"deep": "d", "deep/er": "d", "deep/er/x": "1.1"}),
        pytest.param([file(".wh..wh..opq"), file("/abs"), file("./dot/./x")], {"abs": "1.1", "dot": "d", "dot/x": "1.2"}),
        pytest.param([file(".wh..wh..opq"), file("x", b"1"), file("x", b"2")], {"x": "1.2"}),
        pytest.param([file(".wh..wh..opq"), hard_link("h", "f")], None),  # gone by then
        pytest.param([file(".wh.d"), hard_link("h", "f"), file("f")], {"f": "1.2", "h": "0.6", "l": "-> d"}),
        pytest.param([file(".wh.d"), file(".wh.f"), hard_link("m", "l")], {"l": "-> d", "m": "-> d"}),
        pytest.param([file(".wh..wh..opq"), fifo("p"), device("null")], {"p": "f"}),
        pytest.param([file(".wh.d"), device("f")], {"l": "-> d"}),
        pytest.param([file(".wh..wh.plnk"), file(".wh..wh.plnk/1.2"), file(".wh.d")], {"f": "0.6", "l": "-> d"}),
        pytest.param([file("gone/.wh.x"), file(".wh.gone"), file(".wh.d")], {"f": "0.6", "l": "-> d"}),
    ],
)  # fmt: skip
def test_a_layer_on_top_of_another(above: list[Entry], wanted: dict[str, str] | None) -> None:
    if wanted is None:
        with pytest.raises(InvalidRequest, match="hard link"):
            merged(_BASE, above)
    else:
        assert shown(merged(_BASE, above)) == wanted


def test_owners_modes_times_and_attributes_are_kept() -> None:
    xattrs = {
        "SCHILY.xattr.security.capability": "cap",
        "SCHILY.xattr.user.note": "mine",
        "SCHILY.xattr.trusted.overlay.redirect": "/etc",
        "SCHILY.xattr.security.selinux": "label",
    }
    entries = [
        directory("./", 0o711, uid=3),
        file("su", b"x", 0o6755, uid=1, gid=2, mtime=99, pax_headers=xattrs),
        directory("d", 0o1777),
    ]
    tree = merged(entries)
    found = dict(tree.walk())
    assert (found[b"su"].mode, found[b"su"].uid, found[b"su"].gid, found[b"su"].mtime) == (0o6755, 1, 2, 99)
    assert found[b"su"].xattrs == ((b"security.capability", b"cap"), (b"user.note", b"mine"))
    assert (found[b"d"].mode, tree.root.inode.mode) == (0o1777, 0o711)


def test_a_directory_said_again_keeps_what_is_in_it() -> None:
    tree = merged(_BASE, [directory("d", 0o700, uid=5)])
    assert dict(tree.walk())[b"d"].mode == 0o700
    assert "d/e/c" in shown(tree)


def test_hard_links_share_what_they_name() -> None:
    found = dict(
        merged([file("a", b"x"), hard_link("b", "a"), hard_link("c", "/b")], [file("a", b"y")]).walk()
    )
    assert found[b"b"] is found[b"c"] is not found[b"a"]


@pytest.mark.parametrize(
    "entries",
    [
        pytest.param([file("../x")], id="upwards"),
        pytest.param([file("a/../../x")], id="upwards from below"),
        pytest.param([file("..")], id="the parent"),
        pytest.param([link("out", "/etc"), file("out/passwd")], id="below a link that leads out"),
        pytest.param([link("out", "in"), directory("in"), file("out/x")], id="below a link that leads in"),
        pytest.param([link("out", "/"), directory("out/x")], id="a directory below a link"),
        pytest.param([link("a", "/etc"), hard_link("h", "a/passwd")], id="a hard link through a link"),
        pytest.param([hard_link("h", "/etc/passwd")], id="a hard link that leads out"),
        pytest.param([hard_link("h", "../../etc/passwd")], id="a hard link upwards"),
        pytest.param([hard_link("h", "h")], id="a hard link to itself"),
        pytest.param([directory("d"), hard_link("h", "d")], id="a hard link to a directory"),
        pytest.param([file("f"), file("f/x")], id="below a file"),
        pytest.param([file("x" * 256)], id="a name too long"),
        pytest.param([file("f", pax_headers={"path": "a/" * 20000 + "x"})], id="a path too long"),
        pytest.param([link("l", "x" * 4096)], id="a target too long"),
        pytest.param([link("l", "")], id="a target of nothing"),
        pytest.param([file(".")], id="a file for a root"),
        pytest.param([link("/", "/etc")], id="a link for a root"),
        pytest.param([file(".wh.")], id="a whiteout of nothing"),
        pytest.param([file(".wh...")], id="a whiteout of the parent"),
        pytest.param([file("d/.wh..")], id="a whiteout of itself"),
        pytest.param([file(".wh.a/b")], id="below a whiteout"),
        pytest.param([file("../.wh.x")], id="a whiteout upwards"),
        pytest.param([file("f", uid=2**32 - 1)], id="an owner that is none"),
        pytest.param([file("f", gid=2**40)], id="a group that is none"),
        pytest.param([file("f", pax_headers={"path": "a\0b"})], id="NUL in a name"),
        pytest.param([link("g", "x"), file("h", pax_headers={"path": "g/x"})], id="below a link by a pax name"),
    ],
)  # fmt: skip
def test_what_no_image_has_is_refused(entries: list[Entry]) -> None:
    with pytest.raises(InvalidRequest, match="layer 1 of the image"):
        merged(entries)


def test_a_later_layer_does_not_follow_a_link_of_an_earlier_one() -> None:
    with pytest.raises(InvalidRequest, match=r"layer 2 of the image: '/l' is a link"):
        merged([directory("d"), link("l", "d")], [file("l/x")])


@pytest.mark.parametrize(
    ("entries", "limits"),
    [
        pytest.param([file(f"{number}") for number in range(11)], Limits(entries=10), id="entries"),
        pytest.param([file("a/" * 12 + "x")], Limits(entries=10), id="directories that nobody wrote down"),
        pytest.param([file(".wh.x")] * 11, Limits(entries=10), id="whiteouts"),
        pytest.param([file("x" * 200)] * 6, Limits(names=1000), id="names"),
        pytest.param(
            [file("f", pax_headers={"SCHILY.xattr.user.x": "x" * 2000})], Limits(names=1000), id="attributes"
        ),
    ],
)
def test_what_would_take_all_memory_is_bounded(entries: list[Entry], limits: Limits) -> None:
    with pytest.raises(LimitReached, match="the image has more than"):
        merged(entries, limits=limits)


def test_directories_as_deep_as_names_allow_are_walked() -> None:
    tree = merged([file("d/" * 2000 + "x")])
    assert len(dict(tree.walk())) == 2001
