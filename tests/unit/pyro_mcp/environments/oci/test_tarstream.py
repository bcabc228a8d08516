"""Our reader agrees with Python's on every sound archive, and says no to the others."""

import io
import tarfile
import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.saved_images import device, directory, fifo, file, hard_link, layer, link

from pyro_mcp.environments.oci.layers import LayerStream
from pyro_mcp.environments.oci.tarstream import Member, members
from pyro_mcp.errors import InvalidRequest

_FORMS = [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]
_DATA = b"x" * 1300
_SOME = [
    directory("d/", 0o2755, uid=7, gid=8, mtime=1_700_000_000),
    file("d/f", _DATA, 0o4755),
    link("d/l", "../../etc"),
    hard_link("d/h", "d/f"),
    fifo("p"),
    device("null"),
    file("last", b"end"),
]


def read(data: bytes) -> list[tuple[Member, bytes]]:
    source = LayerStream(io.BytesIO(data), None)
    return [(member, b"".join(source.pieces(member.size))) for member in members(source)]


@pytest.mark.parametrize("form", _FORMS)
def test_every_kind_and_form_is_read(form: int) -> None:
    found = read(layer(*_SOME, form=form))
    assert [(member.name.rstrip(b"/"), member.kind) for member, _ in found] == [
        (b"d", "directory"),
        (b"d/f", "file"),
        (b"d/l", "link"),
        (b"d/h", "hardlink"),
        (b"p", "fifo"),
        (b"null", "device"),
        (b"last", "file"),
    ]
    first, target = found[0][0], found[2][0].target
    assert (first.mode, first.uid, first.gid, first.mtime) == (0o2755, 7, 8, 1_700_000_000)
    assert (found[1][1], found[1][0].mode, target, found[6][1]) == (_DATA, 0o4755, b"../../etc", b"end")


def test_content_that_nobody_reads_is_passed_over() -> None:
    source = LayerStream(io.BytesIO(layer(*_SOME)), None)
    assert len(list(members(source))) == len(_SOME)


@pytest.mark.parametrize("form", _FORMS[1:])
def test_long_names_large_owners_and_odd_bytes_are_kept(form: int) -> None:
    name, target = "d/" + "n" * 300, "t" * 300
    entries = [
        file(name, b"1", uid=3_000_000_000),
        link("l", target),
        file("\udcff\n ", b"2"),
        link("é", "ü"),
    ]
    found = [member for member, _ in read(layer(*entries, form=form))]
    assert [member.name for member in found] == [name.encode(), b"l", b"\xff\n ", "é".encode()]
    assert (found[0].uid, found[1].target, found[3].target) == (3_000_000_000, target.encode(), "ü".encode())


def test_attributes_are_kept_whatever_bytes_they_have() -> None:
    value = b"\1\0\0\2\n\xff"
    pax = {"SCHILY.xattr.security.capability": value.decode(errors="surrogateescape")}
    [(member, _)] = read(layer(file("f", b"1", pax_headers=pax)))
    assert member.xattrs == ((b"security.capability", value),)


_NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0/"), min_size=1, max_size=200)


@given(
    st.sampled_from(_FORMS[1:]),
    st.lists(
        st.tuples(_NAMES, st.binary(max_size=1100), st.integers(0, 2**33), st.integers(0, 2**31)), max_size=5
    ),
)
def test_it_agrees_with_pythons_own_writer(form: int, wanted: list[tuple[str, bytes, int, int]]) -> None:
    entries = [file(name, data, mtime=mtime, uid=uid) for name, data, mtime, uid in wanted]
    found = [
        (member.name, data, member.mtime, member.uid) for member, data in read(layer(*entries, form=form))
    ]
    assert found == [(name.encode(), data, mtime, uid) for name, data, mtime, uid in wanted]


_ARCHIVE = layer(*_SOME)


@given(st.integers(0, len(_ARCHIVE) - 1), st.integers(0, 255))
def test_damage_is_an_error_of_ours_or_nothing(place: int, value: int) -> None:
    damaged = bytearray(_ARCHIVE)
    damaged[place] = value
    with suppress(InvalidRequest):
        read(bytes(damaged))


def _extended(kind: bytes, size: int) -> bytes:
    member = tarfile.TarInfo("x")
    member.type, member.size = kind, size
    return member.tobuf(tarfile.GNU_FORMAT)


def _pax(records: bytes) -> bytes:
    return _extended(b"x", len(records)) + records + bytes(-len(records) % 512) + layer(file("f"))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"no tar at all" * 100, id="garbage"),
        pytest.param(_ARCHIVE[:700], id="cut in a header"),
        pytest.param(layer(file("f", _DATA))[:1000], id="cut in a file"),
        pytest.param(_extended(b"0", 2**60) + b"x", id="a file of an exabyte"),
        pytest.param(_extended(b"L", 2**40) + bytes(4096), id="a name of a terabyte"),
        pytest.param(_extended(b"x", 2**40) + bytes(4096), id="a pax header of a terabyte"),
        pytest.param(_extended(b"x", 600) + bytes(512), id="cut in a pax header"),
        pytest.param(_extended(b"S", 10) + bytes(512), id="sparse"),
        pytest.param(_extended(b"?", 10) + bytes(512), id="an unknown kind"),
        pytest.param(_pax(b"path=x\n"), id="no length"),
        pytest.param(_pax(b"99 path=x\n"), id="a length beyond the end"),
        pytest.param(_pax(b"0 path=x\n"), id="a length of nothing"),
        pytest.param(_pax(b"10 path=xy"), id="no end of line"),
        pytest.param(_pax(b"13 size=1e99\n"), id="a size that is no number"),
        pytest.param(_pax(b"11 uid=-12\n"), id="a negative owner"),
        pytest.param(_pax(b"12 mtime=x1\n"), id="a time that is none"),
        pytest.param(_pax(b"22 GNU.sparse.major=1\n"), id="sparse by pax"),
    ],
)
def test_what_is_unsound_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidRequest):
        read(data)


def test_no_more_is_held_than_one_entry() -> None:
    data = layer(*(file(f"{number}", b"x" * 100_000) for number in range(100)))
    tracemalloc.start()
    source = LayerStream(io.BytesIO(data), None)
    for _ in members(source):
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 << 20


def test_headers_without_an_entry_are_bounded_together() -> None:
    """Each of them is small enough; what they say would be held until an entry comes, which never does."""
    pax = b"".join(_pax_header(b"key%d" % number, b"x" * 1000) for number in range(3000))
    with pytest.raises(InvalidRequest, match="before an entry"):
        read(pax)


def _pax_header(key: bytes, value: bytes) -> bytes:
    length = len(key) + len(value) + 3
    length += len(str(length + len(str(length))))
    record = b"%d %s=%s\n" % (length, key, value)
    info = tarfile.TarInfo("PaxHeaders/x")
    info.type, info.size = tarfile.XHDTYPE, len(record)
    return info.tobuf(tarfile.USTAR_FORMAT) + record + bytes(-len(record) % 512)
