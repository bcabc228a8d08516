"""Reconciling with real processes and files."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyro_mcp.host.paths import Paths
from pyro_mcp.host.processes import ProcessIdentity, identify, is_alive
from pyro_mcp.workspaces.registry import Registry, layers, machines, resources, snapshots, workspaces
from pyro_mcp.workspaces.registry.makers import Maker, this_boot, this_process
from pyro_mcp.workspaces.registry.reconcile import Reconciled, reconcile, remove_layers

from .conftest import Host

DEAD = Maker(ProcessIdentity(2**22 + 1, 1), "some boot")


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(tmp_path / "cache", tmp_path / "state", tmp_path / "runtime", tmp_path / "config")


@pytest.fixture
def sleeper() -> Iterator[ProcessIdentity]:
    """A process of ours that waits for the end of its input, with a token in its command line."""
    with subprocess.Popen(
        [sys.executable, "-c", "input()", "run-tokentoken"], stdin=subprocess.PIPE
    ) as process:
        found = identify(process.pid)
        assert found
        yield found
        process.kill()


def dead_here() -> Maker:
    """A process of this boot that has ended."""
    return Maker(DEAD.process, this_boot())


def test_nothing_amiss_is_nothing_done(registry: Registry, host: Host, paths: Paths) -> None:
    host.workspace()
    assert reconcile(registry, paths) == Reconciled()


def test_what_a_dead_process_left_is_killed_removed_and_forgotten(
    registry: Registry, host: Host, paths: Paths, sleeper: ProcessIdentity
) -> None:
    made = host.workspace()
    runtime = paths.runtime / "m"
    runtime.mkdir(parents=True)
    (runtime / "socket").touch()
    with registry.changing() as change:
        machines.claim(change, "run-m", workspace_id=made, runtime=runtime, maker=dead_here())
        workspaces.set_state(change, made, "running")
        resources.plan(change, "directory", scope="machine", owner="run-m", maker=dead_here(), path=runtime)
        keeper = resources.plan(change, "process", scope="machine", owner="run-m", maker=dead_here())
        resources.made(change, keeper, sleeper)
    done = reconcile(registry, paths)
    assert (done.killed, done.stopped, done.removed) == ((sleeper,), (made,), (runtime,))
    assert not is_alive(sleeper)
    assert not runtime.exists()
    with registry.reading() as reading:
        assert workspaces.get(reading, made).state == "stopped"
        assert "died" in (workspaces.get(reading, made).state_reason or "")
        assert resources.recorded(reading) == ()
        assert machines.recorded(reading) == ()
    assert reconcile(registry, paths) == Reconciled()


def test_a_process_nobody_lived_to_record_is_found(
    registry: Registry, paths: Paths, sleeper: ProcessIdentity
) -> None:
    with registry.changing() as change:
        resources.plan(
            change, "process", scope="machine", owner="m", maker=dead_here(), token="run-tokentoken"
        )
    assert reconcile(registry, paths).killed == (sleeper,)


def test_a_workspace_half_created_goes_with_its_layers(registry: Registry, host: Host, paths: Paths) -> None:
    made = host.workspace("half")
    with registry.changing() as change:
        path = layers.get(change, workspaces.get(change, made).top_layer or "").path
        workspaces.set_state(change, made, "creating", maker=dead_here())
    path.parent.mkdir(parents=True)
    path.touch()
    assert reconcile(registry, paths).deleted == (made,)
    assert not path.exists()
    with registry.reading() as reading:
        assert workspaces.find(reading, "half") is None


def test_a_layer_freed_by_somebody_who_died_before_removing_it(
    registry: Registry, host: Host, paths: Paths
) -> None:
    made = host.workspace()
    host.directory.mkdir()
    with registry.changing() as change:
        snapshots.take(change, made, snapshots.BASELINE, host.layer(change))
        snapshots.reset(change, made, snapshots.BASELINE, host.layer(change))
        (doomed,) = layers.free_unreferenced(change)
    doomed.path.touch()
    assert reconcile(registry, paths).removed == (doomed.path,)
    assert not doomed.path.exists()
    remove_layers(registry, [doomed])  # whoever freed it lived after all: no harm


def test_a_thing_whose_making_failed_is_removed(registry: Registry, paths: Paths) -> None:
    path = paths.state / "half"

    def fail() -> None:
        with registry.changing() as change:
            made = resources.plan(
                change, "directory", scope="workspace", owner="w", maker=this_process(), path=path
            )
        with resources.dooming(registry, made):
            path.mkdir()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert reconcile(registry, paths).removed == (path,)


@pytest.mark.parametrize("outside", ["elsewhere/file", "state/../elsewhere/file", "state"])
def test_a_broken_record_costs_nobody_a_file(
    registry: Registry, paths: Paths, tmp_path: Path, outside: str
) -> None:
    mine = tmp_path / "elsewhere" / "file"
    mine.parent.mkdir()
    mine.touch()
    with registry.changing() as change:
        resources.plan(change, "layer", scope="maker", owner="x", maker=DEAD, path=tmp_path / outside)
    assert reconcile(registry, paths).removed == ()
    assert mine.exists()
    assert paths.state.exists()


def test_a_link_is_removed_and_not_followed(registry: Registry, paths: Paths, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "file").touch()
    link = paths.state / "link"
    with registry.changing() as change:
        resources.plan(change, "directory", scope="maker", owner="x", maker=DEAD, path=link)
    link.symlink_to(mine)
    assert reconcile(registry, paths).removed == (link,)
    assert (mine / "file").exists()


def test_numbers_are_given_out_once(registry: Registry, paths: Paths) -> None:
    with registry.changing() as change:
        maker = this_process()
        first = resources.plan_number(change, "uid", range(5, 7), scope="maker", owner="a", maker=maker)
        second = resources.plan_number(change, "uid", range(5, 7), scope="maker", owner="b", maker=DEAD)
        assert (first, second) == (5, 6)
    reconcile(registry, paths)  # the second one's owner is dead
    with registry.changing() as change:
        assert resources.plan_number(change, "uid", range(5, 7), scope="maker", owner="c", maker=maker) == 6
