import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.unit.pyro_mcp.environments.builders import Builders

from pyro_mcp.environments.store import EnvironmentStore
from pyro_mcp.errors import HostUnfit, NotFound
from pyro_mcp.host.paths import Paths


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths.from_environment({"PYRO_HOME": str(tmp_path / "home")})


@pytest.fixture
def store(builders: Builders, paths: Paths) -> EnvironmentStore:
    return EnvironmentStore(paths)


@pytest.fixture
def write_recipe(paths: Paths) -> Callable[[str], None]:
    def write(text: str, name: str = "mine") -> None:
        directory = paths.config / "environments"
        directory.mkdir(parents=True, exist_ok=True)
        (directory / f"{name}.toml").write_text(f'name = "{name}"\n{text}')

    return write


def test_an_environment_is_built_on_first_use_only(store: EnvironmentStore, builders: Builders) -> None:
    assert store.find("debian:12") is None
    built = store.ensure("debian:12")
    assert store.ensure("debian:12") == store.find("debian:12") == built
    assert builders.built == ["debian:12"]
    assert built.defaults.env["LANG"] == "C.UTF-8"
    assert store.image(built.digest) == built.image


def test_another_process_finds_it_too(store: EnvironmentStore, paths: Paths, builders: Builders) -> None:
    assert EnvironmentStore(paths).find("debian:12") is None
    store.ensure("debian:12")
    assert EnvironmentStore(paths).find("debian:12") == store.find("debian:12")


def test_all_at_once_build_once(paths: Paths, builders: Builders) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _n: EnvironmentStore(paths).ensure("debian:12"), range(8)))
    assert builders.built == ["debian:12"]
    assert len({environment.digest for environment in found}) == 1


def test_an_unknown_environment_has_near_names(store: EnvironmentStore) -> None:
    for use in (store.find, store.ensure, store.inspect):
        with pytest.raises(NotFound, match="debain:12"):
            use("debain:12")


def test_what_was_built_stays_until_a_refresh(store: EnvironmentStore, builders: Builders) -> None:
    pinned = store.ensure("debian:12")
    builders.archive = "tuesday"
    assert store.ensure("debian:12") == pinned
    refreshed = store.ensure("debian:12", refresh=True)
    assert refreshed.digest != pinned.digest
    assert store.ensure("debian:12") == refreshed
    assert store.image(pinned.digest) == pinned.image


def test_a_truncated_image_is_built_again(store: EnvironmentStore, builders: Builders) -> None:
    os.truncate(store.ensure("debian:12").image, 100)
    assert store.find("debian:12") is None
    assert store.ensure("debian:12").image.stat().st_size > 100
    assert builders.built == ["debian:12"] * 2


def test_an_edited_recipe_is_built_again(
    store: EnvironmentStore, builders: Builders, write_recipe: Callable[[str], None]
) -> None:
    write_recipe('base = "debian:12"\npackages = ["make"]')
    first = store.ensure("mine")
    write_recipe('base = "debian:12"\npackages = ["gcc"]')
    assert store.find("mine") is None
    assert store.ensure("mine").digest != first.digest
    write_recipe('base = "debian:12"\npackages = ["make"]')
    assert store.ensure("mine") == first
    assert builders.built == ["mine", "mine"]


def test_a_changed_file_of_a_recipe_is_noticed(
    store: EnvironmentStore, tmp_path: Path, write_recipe: Callable[[str], None]
) -> None:
    (tmp_path / "tool").write_text("1")
    write_recipe(f'base = "none"\nfiles = [{{ path = "/tool", source = "{tmp_path}/tool" }}]')
    first = store.ensure("mine")
    (tmp_path / "tool").write_text("22")
    assert store.find("mine") is None
    assert store.ensure("mine").digest != first.digest


def test_busybox_comes_from_the_kit(
    store: EnvironmentStore, builders: Builders, write_recipe: Callable[[str], None]
) -> None:
    write_recipe('base = "none"\nfiles = [{ path = "/bin/busybox", source = "kit:busybox", mode = "0755" }]')
    store.ensure("mine")
    assert builders.built == ["kit", "mine"]


def test_a_failed_build_leaves_nothing(
    store: EnvironmentStore, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object) -> None:
        raise HostUnfit("no archive")

    monkeypatch.setattr("pyro_mcp.environments.build.build_image", fail)
    with pytest.raises(HostUnfit, match="no archive"):
        store.ensure("debian:12")
    assert store.find("debian:12") is None
    assert list((paths.cache / "staging").iterdir()) == []


def test_the_list_tells_what_is_built(store: EnvironmentStore) -> None:
    store.ensure("debian:12-base")
    found = {listing.name: listing for listing in store.list()}
    assert {name: listing.built for name, listing in found.items()} == {
        "debian:12": False,
        "debian:12-base": True,
        "debian:12-build": False,
    }
    assert found["debian:12-base"].base == "bookworm"
    assert found["debian:12"].base == "debian:12-base"
    assert (found["debian:12-base"].size or 0) > 4000
    assert found["debian:12"].digest is None


def test_silent_damage_is_found_by_verify_and_thrown_away(store: EnvironmentStore) -> None:
    image = store.ensure("debian:12").image
    look = image.stat()
    image.write_bytes(image.read_bytes()[:-1] + b"!")
    os.utime(image, ns=(look.st_atime_ns, look.st_mtime_ns))
    assert store.inspect("debian:12").built
    assert not store.inspect("debian:12", verify=True).built
    assert store.find("debian:12") is None
    store.ensure("debian:12")
    assert store.inspect("debian:12", verify=True).built


def test_prune_frees_what_no_recipe_leads_to(
    store: EnvironmentStore, builders: Builders, write_recipe: Callable[[str], None]
) -> None:
    kit = store.kit()
    write_recipe('base = "debian:12"')
    kept, gone = store.ensure("debian:12"), store.ensure("mine", refresh=True)
    builders.archive = "tuesday"
    newer = store.ensure("mine", refresh=True)
    freed = store.prune(in_use=[newer.digest])
    assert freed.digests == ()  # "mine" of monday has debian:12's content
    assert gone.digest == kept.digest
    refreshed = store.ensure("debian:12", refresh=True)
    assert store.prune().digests == (kept.digest,)
    assert refreshed.image.exists()
    assert store.kit() == kit


def test_prune_leaves_what_is_in_use(store: EnvironmentStore, builders: Builders) -> None:
    old = store.ensure("debian:12")
    builders.archive = "tuesday"
    store.ensure("debian:12", refresh=True)
    assert store.prune(in_use=[old.digest]).digests == ()
    assert store.image(old.digest) == old.image
