"""Imported environments beside those with recipes: named, found, replaced, kept, forgotten."""

import io
import tarfile
from pathlib import Path

import pytest
from tests import saved_images as saved
from tests.saved_images import file, layer, sha256
from tests.unit.pyro_mcp.environments.builders import Builders
from tests.unit.pyro_mcp.environments.images import write_image

from pyro_mcp.environments import sandbox
from pyro_mcp.environments.store import EnvironmentStore
from pyro_mcp.errors import Conflict, InvalidRequest, NotFound, PyroError
from pyro_mcp.host.paths import Paths
from pyro_mcp.workspaces.doctor.room import check_environments

NAME = "team-app:1"


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths.from_environment({"PYRO_HOME": str(tmp_path / "home")})


@pytest.fixture
def store(builders: Builders, paths: Paths, monkeypatch: pytest.MonkeyPatch) -> EnvironmentStore:
    """A store whose images are what would have gone to sqfstar."""

    def pack(feed: sandbox.Feed, image: Path, *, epoch: int, root_mode: int) -> None:
        buffer = io.BytesIO()
        feed(buffer)
        write_image(image, buffer.getvalue())

    monkeypatch.setattr("pyro_mcp.environments.squashfs.pack_stream", pack)
    monkeypatch.setattr(sandbox, "require_tools", lambda *_names: None)
    return EnvironmentStore(paths)


def archive(tmp_path: Path, content: bytes = b"1", name: str = "app.tar", **defaults: object) -> Path:
    layers = [layer(file("app", content))]
    return saved.docker_archive(tmp_path / name, layers, saved.config(layers, defaults))


def test_an_image_is_an_environment_by_its_name(
    store: EnvironmentStore, paths: Paths, tmp_path: Path
) -> None:
    brought = store.import_image(NAME, archive(tmp_path, Env=["A=b"], WorkingDir="/srv", User="app"))
    found = EnvironmentStore(paths).ensure(NAME)
    assert (found.name, found.digest) == (NAME, brought.digest)
    assert (found.defaults.env, found.defaults.workdir, found.defaults.user) == ({"A": "b"}, "/srv", "app")
    assert store.find(NAME) == found == store.standing(NAME, found.digest)
    with tarfile.open(fileobj=io.BytesIO(found.image.read_bytes()[96:])) as made:
        assert made.extractfile("app").read() == b"1"  # type: ignore[union-attr]


def test_it_is_listed_and_inspected_beside_the_others(store: EnvironmentStore, tmp_path: Path) -> None:
    path = archive(tmp_path)
    store.import_image(NAME, path)
    listed = {listing.name: listing for listing in store.list()}
    assert set(listed) == {"debian:12", "debian:12-base", "debian:12-build", NAME}
    assert listed[NAME] == store.inspect(NAME, verify=True)
    assert (listed[NAME].built, listed[NAME].recipe, listed[NAME].imported_from) == (True, None, path)
    assert listed[NAME].summary == "imported from app.tar"
    assert listed[NAME].image_id == sha256(saved.config([layer(file("app", b"1"))]))


def test_the_same_image_again_is_not_packed_again(
    store: EnvironmentStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = store.import_image(NAME, archive(tmp_path))
    monkeypatch.setattr("pyro_mcp.environments.squashfs.pack_stream", None)
    assert store.import_image("other", archive(tmp_path)).digest == first.digest


def test_another_image_takes_the_name_and_the_old_one_stands(store: EnvironmentStore, tmp_path: Path) -> None:
    store.import_image(NAME, archive(tmp_path, b"old", Env=["V=1"]))
    old = store.ensure(NAME)
    store.import_image(NAME, archive(tmp_path, b"new", Env=["V=2"]))
    assert store.ensure(NAME).defaults.env == {"V": "2"}
    assert store.standing(NAME, old.digest) == old
    assert store.prune(in_use=[old.digest]).digests == ()
    assert store.prune().digests == (old.digest,)
    assert store.standing(NAME, old.digest) is None


def test_prune_keeps_it_until_it_is_forgotten(store: EnvironmentStore, tmp_path: Path) -> None:
    store.import_image(NAME, archive(tmp_path))
    found = store.ensure(NAME)
    assert store.prune().digests == ()
    store.forget(NAME)
    with pytest.raises(NotFound, match=NAME):
        store.ensure(NAME)
    assert store.standing(NAME, found.digest) == found
    assert store.prune().digests == (found.digest,)


@pytest.mark.parametrize("damage", ["gone", "cut", "silent"])
def test_one_that_is_gone_or_damaged_says_where_it_came_from(
    store: EnvironmentStore, tmp_path: Path, damage: str
) -> None:
    path = archive(tmp_path)
    image = store.ensure(store.import_image(NAME, path).name).image
    if damage == "gone":
        image.unlink()
    elif damage == "cut":
        image.write_bytes(image.read_bytes()[:100])
    else:
        image.write_bytes(image.read_bytes()[:-1] + b"!")
    assert not store.inspect(NAME, verify=damage == "silent").built
    assert check_environments(store).health == "warn"  # and no error of one that nobody asked for
    with pytest.raises(NotFound, match="gone") as caught:
        store.ensure(NAME)
    assert caught.value.hint == f"Import it again: pyro env import {NAME} {path}"
    assert store.import_image(NAME, path).built
    assert store.ensure(NAME).image == image
    store.prune()
    assert store.ensure(NAME).image == image


def test_it_cannot_be_built_anew(store: EnvironmentStore, tmp_path: Path) -> None:
    store.import_image(NAME, archive(tmp_path))
    with pytest.raises(InvalidRequest, match="cannot be built anew"):
        store.ensure(NAME, refresh=True)


@pytest.mark.parametrize("name", ["debian:12", "mine"])
def test_a_name_that_has_a_recipe_is_taken(
    store: EnvironmentStore, paths: Paths, tmp_path: Path, name: str
) -> None:
    (paths.config / "environments").mkdir(parents=True)
    (paths.config / "environments/mine.toml").write_text('name = "mine"\nbase = "debian:12"')
    with pytest.raises(Conflict, match=name) as caught:
        store.import_image(name, archive(tmp_path))
    assert "another name" in (caught.value.hint or "")


@pytest.mark.parametrize(
    "name", ["", "A", "a/b", "../x", ".x", "a:", "a:b:c", "a b", "a\n", "a\0", "x" * 64, "-x"]
)
def test_a_name_that_is_none_is_refused(store: EnvironmentStore, tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidRequest, match="no name"):
        store.import_image(name, archive(tmp_path))


@pytest.mark.parametrize(
    "content", [b"nothing", layer(file("manifest.json", b"[]")), layer(file("x/../../y", b"1"))]
)
def test_a_failed_import_leaves_everything_as_it_was(
    store: EnvironmentStore, paths: Paths, tmp_path: Path, content: bytes
) -> None:
    store.import_image(NAME, archive(tmp_path))
    before, listing = store.ensure(NAME), _tree(paths.cache)
    (tmp_path / "bad.tar").write_bytes(content)
    with pytest.raises(PyroError):
        store.import_image(NAME, tmp_path / "bad.tar")
    assert store.ensure(NAME) == before
    assert _tree(paths.cache) == listing


def test_nobody_forgets_what_was_never_imported(store: EnvironmentStore) -> None:
    with pytest.raises(NotFound, match="no environment was imported as 'debian:12'"):
        store.forget("debian:12")


def test_a_misspelt_one_is_told(store: EnvironmentStore, tmp_path: Path) -> None:
    store.import_image("django-app", archive(tmp_path))
    with pytest.raises(NotFound, match="django-app"):
        store.ensure("djnago-app")


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"defaults": 1}', b"\xff"])
def test_a_record_that_nobody_can_read_is_none(store: EnvironmentStore, paths: Paths, content: bytes) -> None:
    (paths.cache / "imported").mkdir(parents=True)
    (paths.cache / "imported/x.json").write_bytes(content)
    (paths.cache / "imported/.y.json.123").touch()
    with pytest.raises(NotFound):
        store.ensure("x")
    store.prune()
    assert sorted(path.name for path in (paths.cache / "imported").iterdir()) == ["x.json"]


def _tree(place: Path) -> list[Path]:
    return sorted(path for path in place.rglob("*"))
