"""Which image is in an archive, in every form that they come in; and what is said when there is none for us."""

import gzip
import json
from pathlib import Path

import pytest
from tests import saved_images as saved
from tests.saved_images import AMD64, INDEX, MANIFEST, descriptor, file, layer, sha256

from pyro_mcp.environments.oci.image import Image, read_image
from pyro_mcp.environments.oci.limits import Limits
from pyro_mcp.environments.oci.opening import opened
from pyro_mcp.environments.values import EnvironmentDefaults
from pyro_mcp.errors import InvalidRequest, LimitReached, NotFound, PyroError

_LAYERS = [layer(file("a", b"1")), layer(file("b", b"2"))]
_SAID = saved.config(
    _LAYERS, {"Env": ["PATH=/x:/y", "A=b=c", "EMPTY="], "WorkingDir": "/app/", "User": "app:7"}
)
_ARM = {"os": "linux", "architecture": "arm64"}


def read(archive: Path, tmp_path: Path, limits: Limits | None = None) -> Image:
    with opened(archive, tmp_path, Limits()) as container:
        return read_image(container, limits or Limits())


def _archive(tmp_path: Path, form: str) -> Path:
    files = saved.layout_files(_LAYERS, _SAID)
    if form == "directory":
        return saved.write_layout(tmp_path / "layout", files)
    path = tmp_path / "image.tar"
    if form.startswith("docker"):
        saved.docker_archive(path, _LAYERS, _SAID)
    else:
        saved.write_archive(path, files)
    if form.endswith("gz"):
        path.write_bytes(gzip.compress(path.read_bytes()))
    return path


@pytest.mark.parametrize("form", ["docker", "docker gz", "directory", "layout", "layout gz"])
def test_every_form_is_the_same_image(tmp_path: Path, form: str) -> None:
    image = read(_archive(tmp_path, form), tmp_path)
    assert image.id == sha256(_SAID)
    assert [found.diff_id for found in image.layers] == [sha256(data) for data in _LAYERS]
    assert image.defaults == EnvironmentDefaults(
        {"PATH": "/x:/y", "A": "b=c", "EMPTY": ""}, workdir="/app", user="app:7"
    )
    assert not [path for path in tmp_path.iterdir() if path.name not in ("layout", "image.tar")]


def test_an_image_that_says_nothing_has_the_plain_defaults(tmp_path: Path) -> None:
    archive = saved.docker_archive(tmp_path / "i.tar", _LAYERS)
    assert read(archive, tmp_path).defaults == EnvironmentDefaults()


@pytest.mark.parametrize(
    ("said", "meant"), [("", "/"), ("app", "/app"), ("/../../etc", "/etc"), ("//x//y/", "/x/y")]
)
def test_a_working_directory_stays_in_the_image(tmp_path: Path, said: str, meant: str) -> None:
    config = saved.config(_LAYERS, {"WorkingDir": said})
    assert read(saved.docker_archive(tmp_path / "i.tar", _LAYERS, config), tmp_path).defaults.workdir == meant


def test_ours_is_chosen_among_platforms(tmp_path: Path) -> None:
    files = saved.layout_files(_LAYERS, _SAID, platform=AMD64)
    entry = json.loads(files["index.json"])["manifests"][0]
    arm = descriptor(b"not saved", MANIFEST, platform=_ARM)
    newer = {**descriptor(b"other", MANIFEST), "platform": {**AMD64, "variant": "v3"}}
    seal = descriptor(b"", MANIFEST, platform={"os": "unknown", "architecture": "unknown"})
    inner = json.dumps({"manifests": [seal, arm, newer, entry]}).encode()
    unsaved = descriptor(b"an index that was not saved", INDEX)
    outer = json.dumps({"manifests": [unsaved, descriptor(inner, INDEX)]}).encode()
    files |= {"index.json": outer, **saved.blob_files(inner)}
    assert read(saved.write_layout(tmp_path / "l", files), tmp_path).id == sha256(_SAID)


def test_one_image_of_two_names_is_one(tmp_path: Path) -> None:
    files = saved.layout_files(_LAYERS, _SAID)
    [entry] = json.loads(files["index.json"])["manifests"]
    files["index.json"] = json.dumps({"manifests": [entry, entry]}).encode()
    assert read(saved.write_layout(tmp_path / "l", files), tmp_path).id == sha256(_SAID)


def test_layers_that_old_dockers_link_to_are_found(tmp_path: Path) -> None:
    archive = saved.docker_archive(tmp_path / "i.tar", [_LAYERS[0]] * 2, links=True)
    with opened(archive, tmp_path, Limits()) as container:
        paths = [found.path for found in read_image(container, Limits()).layers]
        assert [container.size(path) for path in paths] == [len(_LAYERS[0])] * 2


@pytest.mark.parametrize(
    ("manifests", "message"),
    [
        ([descriptor(b"x", MANIFEST, platform=_ARM)], "no image for linux/amd64; it has linux/arm64"),
        (
            [descriptor(b"x", MANIFEST, platform={"os": "windows", "architecture": "amd64"})],
            "it has windows/amd64",
        ),
        ([], "it has nothing"),
        (
            [
                descriptor(b"x", MANIFEST, annotations={"org.opencontainers.image.ref.name": "team/one"}),
                descriptor(b"y", MANIFEST),
            ],
            "2 images: team/one, one without a name",
        ),
        ([descriptor(b"x", MANIFEST)], "has no blobs/sha256/"),
        (
            [{"mediaType": MANIFEST, "digest": "sha256:../../etc/passwd", "size": 1}],
            "digest is missing or not",
        ),
        ([{"mediaType": MANIFEST, "digest": "md5:" + "0" * 32, "size": 1}], "digest is missing or not"),
        ([{"mediaType": MANIFEST, "digest": f"sha256:{sha256(b'x')}"}], "has no blobs"),
        ([{"mediaType": 7}], "mediaType is missing or not"),
        (["x"], "manifests is missing or not"),
        ({"a": 1}, "manifests is missing or not"),
    ],
)
def test_an_index_without_an_image_for_us(tmp_path: Path, manifests: object, message: str) -> None:
    layout = saved.write_layout(tmp_path / "l", {"index.json": json.dumps({"manifests": manifests}).encode()})
    with pytest.raises(InvalidRequest, match=message) as caught:
        read(layout, tmp_path)
    assert caught.value.hint


@pytest.mark.parametrize(
    "document", [b"", b"{", b"[" * 100_000, b"9" * 10_000, b"\xff", b"[]", b'"x"', b"null"]
)
@pytest.mark.parametrize("name", ["index.json", "manifest.json"])
def test_documents_that_are_none(tmp_path: Path, name: str, document: bytes) -> None:
    with pytest.raises(InvalidRequest):
        read(saved.write_layout(tmp_path / "l", {name: document}), tmp_path)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (saved.config(_LAYERS, architecture="arm64"), "it has linux/arm64"),
        (saved.config(_LAYERS, os=None), "no image for linux/amd64"),
        (saved.config(_LAYERS[:1]), "diff_ids"),
        (saved.config(_LAYERS, rootfs={"diff_ids": ["sha256:x", "sha256:y"]}), "diff_ids"),
        (saved.config(_LAYERS, {"Env": "A=b"}), "Env"),
        (saved.config(_LAYERS, {"Env": ["A=\0"]}), "Env"),
        (saved.config(_LAYERS, {"User": 7}), "User"),
        (saved.config(_LAYERS, {"User": "\ud800"}), "User"),
        (saved.config(_LAYERS, {"WorkingDir": ["/"]}), "WorkingDir"),
        (b"{}", "no image for linux/amd64"),
    ],
)
def test_a_config_that_makes_no_sense_is_refused(tmp_path: Path, config: bytes, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        read(saved.docker_archive(tmp_path / "i.tar", _LAYERS, config), tmp_path)


@pytest.mark.parametrize("what", ["config", "manifest"])
def test_a_document_that_is_not_what_its_digest_says(tmp_path: Path, what: str) -> None:
    files = saved.layout_files(_LAYERS, _SAID)
    for name, data in files.items():
        if (b'"rootfs"' in data) if what == "config" else (b'"layers": [' in data and b"rootfs" not in data):
            files[name] = data.replace(b"{", b" ", 1)
    with pytest.raises(InvalidRequest, match="is not what the image says"):
        read(saved.write_layout(tmp_path / "l", files), tmp_path)


def test_docker_names_a_config_by_its_digest(tmp_path: Path) -> None:
    manifest = json.dumps([{"Config": f"{'0' * 64}.json", "Layers": []}]).encode()
    files = {"manifest.json": manifest, f"{'0' * 64}.json": _SAID}
    with pytest.raises(InvalidRequest, match="is not what the image says"):
        read(saved.write_archive(tmp_path / "i.tar", files), tmp_path)


def test_several_images_of_docker_are_named(tmp_path: Path) -> None:
    manifest = json.dumps(
        [{"Config": "a", "RepoTags": ["a:1", "a:2"]}, {"Config": "b", "RepoTags": ["b:1"]}]
    ).encode()
    with pytest.raises(InvalidRequest, match="2 images: a:1, a:2, b:1"):
        read(saved.write_archive(tmp_path / "i.tar", {"manifest.json": manifest}), tmp_path)


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (b"neither", InvalidRequest, "no sound tar"),
        (b"", InvalidRequest, "neither index.json nor manifest.json"),
        (layer(file("x", b"1")), InvalidRequest, "neither index.json nor manifest.json"),
        (b"\x28\xb5\x2f\xfd rest", InvalidRequest, "zstd"),
        (b"\x1f\x8b rest", InvalidRequest, "gzip is damaged"),
        (gzip.compress(_LAYERS[0], mtime=0)[:-20], InvalidRequest, "gzip is damaged"),
        (None, NotFound, "is not there"),
    ],
)
def test_files_that_are_no_image(
    tmp_path: Path, content: bytes | None, error: type[PyroError], message: str
) -> None:
    path = tmp_path / "image.tar"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(error, match=message):
        read(path, tmp_path)


def test_a_device_is_not_waited_for(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="neither a file nor a directory"):
        read(Path("/dev/zero"), tmp_path)


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "a/../../outside", "x" * 5000])
def test_a_directory_gives_nothing_that_is_not_in_it(tmp_path: Path, name: str) -> None:
    (tmp_path / "outside").write_bytes(_SAID)
    manifest = json.dumps([{"Config": name, "Layers": [name]}]).encode()
    with pytest.raises(InvalidRequest, match="the archive has no"):
        read(saved.write_layout(tmp_path / "l", {"manifest.json": manifest}), tmp_path)


def test_what_is_too_large_is_not_read(tmp_path: Path) -> None:
    layout = saved.write_layout(tmp_path / "l", saved.layout_files(_LAYERS, _SAID))
    with pytest.raises(LimitReached, match="bytes"):
        read(layout, tmp_path, Limits(documents=100))
    with pytest.raises(LimitReached, match="more than 1 layers"):
        read(layout, tmp_path, Limits(layers=1))


def test_an_archive_that_unpacks_without_end_is_bounded(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.tgz"
    bomb.write_bytes(gzip.compress(bytes(4 << 20)))
    with (
        pytest.raises(LimitReached, match="unpacks to more than 1 MiB"),
        opened(bomb, tmp_path, Limits(content=1 << 20)),
    ):
        pass
    assert list(tmp_path.iterdir()) == [bomb]


def test_indexes_without_end_are_bounded(tmp_path: Path) -> None:
    files: dict[str, bytes] = {}
    inner = json.dumps({"manifests": []}).encode()
    for _ in range(70):
        files |= saved.blob_files(inner)
        inner = json.dumps({"manifests": [descriptor(inner, INDEX)]}).encode()
    with pytest.raises(LimitReached, match="indexes"):
        read(saved.write_layout(tmp_path / "l", {**files, "index.json": inner}), tmp_path)
