import stat

from hypothesis import given
from hypothesis import strategies as st

from pyro_mcp.environments import cpio
from pyro_mcp.environments.cpio import Member


def read_back(data: bytes) -> list[Member]:
    """Read an archive as the kernel does: header, name, content, each padded to four bytes."""
    found: list[Member] = []
    at = 0
    while True:
        assert data[at : at + 6] == b"070701"
        fields = [int(data[at + 6 + 8 * n : at + 14 + 8 * n], 16) for n in range(13)]
        mode, size, name_size = fields[1], fields[6], fields[11]
        name = data[at + 110 : at + 110 + name_size - 1].decode()
        at += (110 + name_size + 3) & ~3
        if name == "TRAILER!!!":
            return found
        found.append(Member(name, mode, data[at : at + size]))
        at += (size + 3) & ~3


NAMES = st.text("abcdefgh/", min_size=1, max_size=12).map(lambda name: name.strip("/")).filter(bool)


@given(st.lists(st.tuples(NAMES, st.binary(max_size=9))))
def test_what_goes_in_comes_out(entries: list[tuple[str, bytes]]) -> None:
    members = [cpio.file(name, data) for name, data in entries]
    assert read_back(cpio.archive(members)) == members


def test_archives_can_follow_each_other() -> None:
    first = cpio.archive([cpio.file("a", b"1")])
    assert len(first) % 4 == 0
    assert read_back(cpio.archive([cpio.file("b", b"2")])) == [cpio.file("b", b"2")]


def test_files_directories_and_links_are_told_apart() -> None:
    members = [
        cpio.directory("bin"),
        cpio.file("bin/busybox", b"\x7fELF", 0o755),
        cpio.link("bin/sh", "busybox"),
    ]
    kinds = [stat.filemode(member.mode) for member in read_back(cpio.archive(members))]
    assert kinds == ["drwxr-xr-x", "-rwxr-xr-x", "lrwxrwxrwx"]


def test_a_leading_slash_is_dropped() -> None:
    assert read_back(cpio.archive([cpio.file("/init", b"")]))[0].path == "init"


def test_the_same_members_give_the_same_bytes() -> None:
    assert cpio.archive([cpio.file("a", b"1")]) == cpio.archive([cpio.file("a", b"1")])
