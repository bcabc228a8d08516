"""From an archive to the one tar that sqfstar reads: Python's own reader is the judge of it."""

import gzip
import io
import json
import tarfile
from pathlib import Path

import pytest
from tests import saved_images as saved
from tests.saved_images import Entry, directory, file, hard_link, layer, link

from pyro_mcp.environments.oci import build
from pyro_mcp.environments.oci.container import Container
from pyro_mcp.environments.oci.image import read_image
from pyro_mcp.environments.oci.limits import Limits
from pyro_mcp.environments.oci.opening import opened
from pyro_mcp.environments.oci.pack import Packing
from pyro_mcp.environments.oci.tarstream import Member
from pyro_mcp.environments.oci.tree import Tree
from pyro_mcp.environments.values import EnvironmentDefaults
from pyro_mcp.errors import InvalidRequest, LimitReached
from pyro_mcp.progress import step

_BELOW: list[Entry] = [
    directory("bin"),
    file("bin/tool", b"tool" * 400, 0o4755, uid=1, gid=2, mtime=77),
    hard_link("bin/other", "bin/tool"),
    file("bin/old", b"old"),
    link("lib", "usr/lib"),
    file("\udcff" + "n" * 200, b"odd"),
]
_ABOVE: list[Entry] = [
    file("bin/.wh.old"),
    file("bin/cap", b"c", pax_headers={"SCHILY.xattr.security.capability": "\1\udcff\n"}),
    hard_link("bin/cap2", "bin/cap"),
    link("tmp", "/etc"),
]


def written(
    container: Container, limits: Limits | None = None
) -> tuple[list[tarfile.TarInfo], dict[str, bytes]]:
    image = read_image(container, Limits())
    with step("test") as importing:
        tree = build.merged(container, image, limits or Limits(), importing)
        build.complete(tree, image.defaults)
        buffer = io.BytesIO()
        Packing(tree).write(buffer, container, image.layers, importing)
    buffer.seek(0)
    with tarfile.open(fileobj=buffer) as archive:
        found = archive.getmembers()
        return found, {member.name: archive.extractfile(member).read() for member in found if member.isreg()}  # type: ignore[union-attr]


@pytest.mark.parametrize("packed", [True, False])
def test_the_tar_is_what_the_layers_come_to(tmp_path: Path, packed: bool) -> None:
    layers = [layer(*_BELOW), layer(*_ABOVE)]
    config = saved.config(layers, {"WorkingDir": "/srv/app"})
    archive = saved.write_archive(tmp_path / "i.tar", saved.layout_files(layers, config, packed=packed))
    with opened(archive, tmp_path, Limits()) as container:
        found, contents = written(container)
    odd = "\udcff" + "n" * 200
    by_name = {member.name: member for member in found}
    assert len(by_name) == len(found)
    assert set(by_name) == {
        *("bin", "bin/tool", "bin/other", "bin/cap", "bin/cap2", "lib", odd),
        *("dev", "proc", "sys", "run", "tmp", "workspace", "srv", "srv/app"),
    }
    first = by_name["bin/other"]  # the first of its names, in their order
    assert (first.mode, first.uid, first.gid, first.mtime) == (0o4755, 1, 2, 77)
    assert by_name["bin/tool"].islnk()
    assert by_name["bin/tool"].linkname == "bin/other"
    assert by_name["bin/cap"].pax_headers["SCHILY.xattr.security.capability"] == "\1\udcff\n"
    assert (by_name["tmp"].isdir(), by_name["tmp"].mode, by_name["lib"].linkname) == (True, 0o1777, "usr/lib")
    assert contents == {"bin/other": b"tool" * 400, "bin/cap": b"c", odd: b"odd"}


def test_a_working_directory_behind_a_link_is_left_to_the_image() -> None:
    tree = Tree()
    tree.apply(0, [Member(b"app", "link", 0o777, 0, 0, 0, target=b"srv")])
    build.complete(tree, EnvironmentDefaults(workdir="/app/deeper"))
    assert tree.find((b"app", b"deeper")) is None
    build.complete(tree, EnvironmentDefaults(workdir="/srv/deeper"))
    assert tree.find((b"srv", b"deeper")) is not None


@pytest.mark.parametrize("damage", ["digest", "diff_id", "cut", "gzip"])
def test_a_layer_that_is_not_what_the_image_says_is_refused(tmp_path: Path, damage: str) -> None:
    data = layer(*_BELOW)
    files = saved.layout_files([data], packed=damage != "digest")
    [name] = [name for name, blob in files.items() if blob.startswith(b"\x1f\x8b") or blob == data]
    good = files[name]
    if damage == "diff_id":  # a manifest that names another layer than the config
        files = saved.layout_files([data], saved.config([layer(*_ABOVE)]))
    elif damage == "digest":
        files[name] = good.replace(b"tooltool", b"toolTool", 1)
    elif damage == "gzip":
        files[name] = good[:40] + bytes([good[40] ^ 0xFF]) + good[41:]
    else:
        files[name] = good[:-9] + bytes(9)
    with (
        opened(saved.write_layout(tmp_path / "l", files), tmp_path, Limits()) as container,
        pytest.raises(InvalidRequest) as caught,
    ):
        written(container)
    assert caught.value.hint


def test_layers_in_zstd_name_the_way_out(tmp_path: Path) -> None:
    blob = b"\x28\xb5\x2f\xfd" + bytes(100)
    config = saved.config([blob])
    archive = saved.docker_archive(tmp_path / "i.tar", [blob], config)
    with (
        opened(archive, tmp_path, Limits()) as container,
        pytest.raises(InvalidRequest, match="zstd") as caught,
    ):
        written(container)
    assert "docker save" in (caught.value.hint or "")


def test_a_layer_that_unpacks_without_end_is_bounded(tmp_path: Path) -> None:
    data = layer(file("zeros", bytes(3 << 20)))
    with (
        opened(
            saved.write_layout(tmp_path / "l", saved.layout_files([data])), tmp_path, Limits()
        ) as container,
        pytest.raises(LimitReached, match="GiB when unpacked"),
    ):
        written(container, Limits(content=2 << 20))


def test_what_stands_behind_the_end_of_a_layer_counts_too(tmp_path: Path) -> None:
    data = layer(file("x", b"1")) + bytes(3 << 20)
    with (
        opened(
            saved.write_layout(tmp_path / "l", saved.layout_files([data])), tmp_path, Limits()
        ) as container,
        pytest.raises(LimitReached),
    ):
        written(container, Limits(content=2 << 20))


def test_an_archive_that_changes_meanwhile_is_noticed(tmp_path: Path) -> None:
    files = saved.layout_files([layer(file("x", b"1" * 600))], packed=False)
    layout = saved.write_layout(tmp_path / "l", files)
    with opened(layout, tmp_path, Limits()) as container:
        image = read_image(container, Limits())
        with step("test") as importing:
            packing = Packing(build.merged(container, image, Limits(), importing))
            (layout / image.layers[0].path).write_bytes(layer(file("x", b"2" * 600)))
            with pytest.raises(InvalidRequest, match="not what the image says"):
                packing.write(io.BytesIO(), container, image.layers, importing)
            (layout / image.layers[0].path).write_bytes(layer(file("x", b"2")))
            with pytest.raises(InvalidRequest, match="changed while it was read"):
                packing.write(io.BytesIO(), container, image.layers, importing)


def test_more_owners_than_an_image_can_note_are_refused() -> None:
    tree = Tree()
    tree.apply(0, (Member(b"%d" % uid, "file", 0o644, uid, 0, 0) for uid in range(66_000)))
    with pytest.raises(LimitReached, match="owners"):
        Packing(tree)


def test_an_image_that_does_not_fit_is_refused_before_it_is_packed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "free_disk", lambda _place: 1 << 20)
    archive = saved.docker_archive(tmp_path / "i.tar", [layer(file("x", b"1"))])
    with opened(archive, tmp_path, Limits()) as container, pytest.raises(LimitReached, match="MiB of disk"):
        build.build_image(
            "n", container, read_image(container, Limits()), tmp_path / "out" / "image", Limits()
        )


def test_members_of_several_gzips_are_one_layer(tmp_path: Path) -> None:
    data = layer(*_BELOW)
    files = saved.layout_files([data])
    manifest_name, config = next((n, d) for n, d in files.items() if b"rootfs" in d)
    blob = gzip.compress(data[:1000]) + gzip.compress(data[1000:])
    manifest = json.dumps(
        {"config": saved.descriptor(config, saved.CONFIG), "layers": [saved.descriptor(blob, saved.LAYER)]}
    ).encode()
    index = json.dumps({"manifests": [saved.descriptor(manifest, saved.MANIFEST)]}).encode()
    layout = saved.write_layout(
        tmp_path / "l", {"index.json": index, manifest_name: config, **saved.blob_files(manifest, blob)}
    )
    with opened(layout, tmp_path, Limits()) as container:
        assert "bin/other" in written(container)[1]
