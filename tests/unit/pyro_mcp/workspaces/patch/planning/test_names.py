import pytest

from pyro_mcp.errors import InvalidRequest
from pyro_mcp.workspaces.patch.planning.names import (
    check_path,
    prefix_parts,
    read_file_name,
    read_name_pair,
    strip_name,
)
from pyro_mcp.workspaces.patch.reading.document import RawName


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        (b"a/x b/x", (b"a/x", b"b/x")),
        (b"x x", (b"x", b"x")),
        (b"a/x y b/x y", (b"a/x y", b"b/x y")),
        (b"x y x y", (b"x y", b"x y")),
        (b'"a/\\303\\251" "b/\\303\\251"', (b"a/\xc3\xa9", b"b/\xc3\xa9")),
        (b'a/x "b/\\t"', (b"a/x", b"b/\t")),
        (b'"a/\\"q" b/y', (b'a/"q', b"b/y")),
        (b"old/x y newer/x y", (b"old/x y", b"newer/x y")),
        (b"a/x b/y", (b"a/x", b"b/y")),
        (b"a/x y b/z w", None),
    ],
)
def test_a_pair_of_names_is_split_where_both_sides_agree(
    text: bytes, pair: tuple[bytes, bytes] | None
) -> None:
    found = read_name_pair(text)
    assert (found and (found[0].text, found[1].text)) == pair


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (b"a/x\t2024-01-01 10:00:00.000000000 +0000", b"a/x"),
        (b"a/x  2024-01-01 10:00:00 +0200", b"a/x"),
        (b"a/x y\t", b"a/x y"),
        (b"trail \t", b"trail "),
        (b"a/x\r", b"a/x"),
        (b"/dev/null", None),
        (b"x\t1970-01-01 00:00:00.000000000 +0000", None),
        (b'"a/tab\\tx"', b"a/tab\tx"),
    ],
)
def test_a_name_ends_before_its_date(text: bytes, name: bytes | None) -> None:
    found = read_file_name(text, dated=True)
    assert (found and found.text) == name


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        (b"a/x", b"b/x", 1), (b"i/x", b"w/x", 1), (b"x", b"x", 0), (b"a/x", b"a/x", 0), (b"p-1.0/x", b"p-1.1/x", 1),
        (None, b"b/x", 1), (b"a/x", None, 1), (None, b"src/x", None), (b"x.orig", b"x", 0),
    ],
)  # fmt: skip
def test_a_prefix_is_told_by_both_names(old: bytes | None, new: bytes | None, parts: int | None) -> None:
    names = [None if name is None else RawName(name) for name in (old, new)]
    assert prefix_parts(*names) == parts


def test_names_of_a_rename_have_one_part_less_to_strip() -> None:
    assert strip_name(RawName(b"a/src/x"), 1) == b"src/x"
    assert strip_name(RawName(b"src/x", prefixed=False), 1) == b"src/x"
    assert strip_name(RawName(b"src/x", prefixed=False), 2) == b"x"
    assert strip_name(RawName(b"x"), 1) is None


@pytest.mark.parametrize(
    "path",
    [
        b"",
        b"/etc/passwd",
        b"../x",
        b"a/../../x",
        b"a/..",
        b"a\0b",
        b".git/config",
        b"sub/.GIT/hooks/x",
        b"a//b",
        b"x" * 256,
        b"a/" * 2100 + b"x",
    ],
)
def test_paths_that_are_not_plainly_inside_are_refused(path: bytes) -> None:
    with pytest.raises(InvalidRequest):
        check_path(path)


@pytest.mark.parametrize("path", [b"a", b".gitignore", b"a/.github/x", b"..a/b..", b" ", b"\xff\n"])
def test_odd_but_harmless_paths_pass(path: bytes) -> None:
    check_path(path)
