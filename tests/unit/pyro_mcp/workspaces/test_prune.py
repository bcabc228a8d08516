"""What is freed, and above all what is not."""

import fcntl
import os
import time
from pathlib import Path

import pytest
from tests.unit.pyro_mcp.environments.builders import Builders

from pyro_mcp.host.paths import Paths
from pyro_mcp.workspaces.engine import Engine
from pyro_mcp.workspaces.prune import prune, prune_environments
from pyro_mcp.workspaces.registry import Registry, workspaces
from pyro_mcp.workspaces.registry.makers import this_process
from pyro_mcp.workspaces.registry.names import new_id
from pyro_mcp.workspaces.registry.workspaces import NewWorkspace
from pyro_mcp.workspaces.session import Sessions
from pyro_mcp.workspaces.storage.sharing import leave_mark

_DAY = 24 * 3600


@pytest.fixture
def builders(monkeypatch: pytest.MonkeyPatch) -> Builders:
    """Environments that are built out of nothing."""
    return Builders(monkeypatch)


@pytest.fixture
def sessions(builders: Builders) -> Sessions:
    return Engine().sessions


def _workspace(registry: Registry, digest: str, *, seed: str | None = None, making: bool = False) -> None:
    with registry.changing() as change:
        record = workspaces.add(
            change,
            NewWorkspace(id=new_id("ws"), environment="debian:12", environment_digest=digest),
            this_process(),
        )
        workspaces.set_seed(change, record.id, seed, "{}")
        if not making:
            workspaces.set_state(change, record.id, "stopped")


def _refreshed(sessions: Sessions, builders: Builders) -> Path:
    """An image that no recipe leads to any more."""
    old = sessions.environments.ensure("debian:12")
    builders.archive = "tuesday"
    sessions.environments.ensure("debian:12", refresh=True)
    return old.image


def test_an_empty_host_frees_nothing(sessions: Sessions) -> None:
    report = prune(sessions)
    counts = (report.environments, report.seeds, report.templates, report.layers, report.freed_bytes)
    assert (counts, report.left) == ((0, 0, 0, 0, 0), None)


@pytest.mark.parametrize("used", [False, True])
def test_an_image_stays_as_long_as_a_workspace_stands_on_it(
    sessions: Sessions, builders: Builders, used: bool
) -> None:
    image = _refreshed(sessions, builders)
    if used:
        _workspace(sessions.registry, image.parent.name)
    assert prune(sessions).environments == (0 if used else 1)
    assert image.exists() == used


def test_another_state_directory_on_the_same_cache_keeps_its_image(
    sessions: Sessions, builders: Builders, tmp_path: Path
) -> None:
    image = _refreshed(sessions, builders)
    mine = sessions.paths
    theirs = Paths(mine.cache, tmp_path / "their-state", mine.runtime, mine.config)
    registry = Registry.at(theirs)
    _workspace(registry, image.parent.name)
    leave_mark(theirs)
    assert prune_environments(sessions).digests == ()
    assert image.exists()
    with registry.changing() as change:
        change.run("DELETE FROM workspaces")
    registry.close()
    assert prune_environments(sessions).digests == (image.parent.name,)


def test_nothing_is_freed_where_another_state_cannot_be_read(
    sessions: Sessions, builders: Builders, tmp_path: Path
) -> None:
    image = _refreshed(sessions, builders)
    mine = sessions.paths
    theirs = Paths(mine.cache, tmp_path / "their-state", mine.runtime, mine.config)
    theirs.state.mkdir()
    (theirs.state / "registry.sqlite").write_bytes(b"no database" * 1000)
    leave_mark(theirs)
    report = prune(sessions)
    assert image.exists()
    assert report.environments == 0
    assert report.left is not None
    assert report.left.startswith("environments: ")
    assert "cannot be used" in report.left


def test_seeds_stay_while_a_workspace_lies_on_them_or_one_is_made(sessions: Sessions, tmp_path: Path) -> None:
    images = []
    for name in ("kept", "gone"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
        images.append(sessions.seeds.ensure(tmp_path / name).image)
    kept, gone = images
    assert kept is not None
    assert gone is not None
    _workspace(sessions.registry, "e", seed=kept.stem)
    _workspace(sessions.registry, "e", making=True)
    report = prune(sessions)
    assert (report.seeds, report.left, gone.exists()) == (0, "seeds: a workspace is being created", True)
    with sessions.registry.changing() as change:
        change.run("UPDATE workspaces SET state = 'stopped'")
    report = prune(sessions)
    assert (report.seeds, report.left, gone.exists(), kept.exists()) == (1, None, False, True)
    assert report.freed_bytes > 0


def _template(sessions: Sessions, name: str, days: float) -> Path:
    directory = sessions.paths.cache / "templates" / name
    directory.mkdir(parents=True)
    (directory / "memory").write_bytes(b"x" * 10_000)
    (directory / "about.json").write_text("{}")
    os.utime(directory / "about.json", (time.time() - days * _DAY,) * 2)
    return directory


def test_frozen_machines_go_when_nothing_has_started_from_them_for_long(sessions: Sessions) -> None:
    young, old, held = (_template(sessions, name, days) for name, days in (("a", 29), ("b", 31), ("c", 31)))
    with held.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        report = prune(sessions)
        assert (report.templates, young.exists(), old.exists(), held.exists()) == (1, True, False, True)
        assert report.freed_bytes >= 10_000
    assert prune(sessions, everything=True).templates == 2
    assert not young.exists()


def test_layers_without_a_record_are_strays(sessions: Sessions) -> None:
    layers = sessions.paths.state / "layers"
    layers.mkdir(parents=True)
    (layers / "stray.qcow2").write_bytes(b"x" * 10_000)
    report = prune(sessions)
    assert (report.layers, list(layers.iterdir())) == (1, [])
