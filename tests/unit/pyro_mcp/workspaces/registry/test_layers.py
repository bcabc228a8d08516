from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyro_mcp.errors import Conflict, InvalidRequest, NotFound
from pyro_mcp.workspaces.registry import Change, Registry, layers, resources, snapshots, workspaces
from pyro_mcp.workspaces.registry.snapshots import BASELINE

from .conftest import Host


def top(change: Change, workspace: str) -> str:
    found = workspaces.get(change, workspace).top_layer
    assert found
    return found


def chain(change: Change, workspace: str) -> list[str]:
    return [layer.id for layer in layers.chain(change, top(change, workspace))]


def test_a_planned_layer_is_a_resource_until_it_is_a_layer(registry: Registry, host: Host) -> None:
    made = host.workspace()
    with registry.changing() as change:
        planned = host.layer(change)
        assert [r.path for r in resources.recorded(change)] == [planned.path]
        snapshots.take(change, made, BASELINE, planned)
        assert resources.recorded(change) == ()


def test_a_snapshot_freezes_what_was_written_and_goes_on_above_it(registry: Registry, host: Host) -> None:
    made = host.workspace()
    with registry.changing() as change:
        first = top(change, made)
        baseline = snapshots.take(change, made, BASELINE, host.layer(change))
        assert (baseline.layer_id, baseline.parent) == (first, None)
        assert layers.get(change, first).frozen
        assert chain(change, made) == [first, top(change, made)]
        assert not layers.get(change, top(change, made)).frozen
        assert snapshots.take(change, made, "tests-pass", host.layer(change)).parent == BASELINE
        assert workspaces.get(change, made).at_snapshot == "tests-pass"


def test_a_crash_while_a_running_machine_switches_layers_loses_nothing(
    registry: Registry, host: Host
) -> None:
    """Recorded and not switched, then a snapshot that works: what the machine wrote below is in every chain."""
    made = host.workspace()
    with registry.changing() as change:
        written = top(change, made)
        snapshots.stack(change, made, host.layer(change))
        assert resources.recorded(change) == ()  # nothing that a clean-up would remove
        assert layers.free_unreferenced(change) == ()
        frozen = snapshots.stack(change, made, host.layer(change))
        named = snapshots.name_layer(change, made, "later", frozen)
        assert written in [layer.id for layer in layers.chain(change, named.layer_id)]
        assert written in chain(change, made)
        assert workspaces.get(change, made).at_snapshot == "later"


def test_a_reset_leaves_what_was_written_since_to_be_freed(registry: Registry, host: Host) -> None:
    made = host.workspace()
    with registry.changing() as change:
        snapshots.take(change, made, BASELINE, host.layer(change))
        written = layers.get(change, top(change, made))
        snapshots.reset(change, made, BASELINE, host.layer(change))
        assert [doomed.path for doomed in layers.free_unreferenced(change)] == [written.path]
        assert workspaces.get(change, made).at_snapshot == BASELINE
        assert len(chain(change, made)) == 2


def test_a_later_snapshot_grows_from_where_the_reset_went(registry: Registry, host: Host) -> None:
    made = host.workspace()
    with registry.changing() as change:
        for name in (BASELINE, "left"):
            snapshots.take(change, made, name, host.layer(change))
        snapshots.reset(change, made, BASELINE, host.layer(change))
        assert snapshots.take(change, made, "right", host.layer(change)).parent == BASELINE
        layers.free_unreferenced(change)
        assert [s.name for s in snapshots.listed(change, made)] == [BASELINE, "left", "right"]


def test_forks_share_layers_which_last_as_long_as_anybody_needs_them(registry: Registry, host: Host) -> None:
    source, fork = host.workspace(), host.workspace()
    with registry.changing() as change:
        change.run("UPDATE workspaces SET top_layer_id = NULL WHERE id = ?", (fork,))
        layers.free_unreferenced(change)
        base = snapshots.take(change, source, BASELINE, host.layer(change)).layer_id
        snapshots.branch(change, source, fork, host.layer(change), at=BASELINE, layer_id=base)
        assert layers.references(change)[base] == 4  # two snapshots, two layers upon it
        workspaces.remove(change, source)
        assert len(layers.free_unreferenced(change)) == 1  # what the source wrote after the baseline
        assert chain(change, fork)[0] == base
        assert snapshots.get(change, fork, BASELINE).layer_id == base
        workspaces.remove(change, fork)
        assert len(layers.free_unreferenced(change)) == 2
        assert layers.references(change) == {}


def test_a_fork_from_now_stands_where_the_source_stands(registry: Registry, host: Host) -> None:
    source, fork = host.workspace(), host.workspace()
    with registry.changing() as change:
        snapshots.take(change, source, BASELINE, host.layer(change))
        snapshots.take(change, source, "later", host.layer(change))
        ground = snapshots.stack(change, source, host.layer(change))
        snapshots.branch(change, source, fork, host.layer(change), at=None, layer_id=ground)
        assert [s.name for s in snapshots.listed(change, fork)] == [BASELINE, "later"]
        assert workspaces.get(change, fork).at_snapshot == "later"
        assert chain(change, fork)[:-1] == chain(change, source)[:-1]


def test_nothing_lies_on_a_layer_that_is_still_written(registry: Registry, host: Host) -> None:
    made = host.workspace()
    with pytest.raises(Conflict), registry.changing() as change:
        layers.put_on_top(change, made, host.layer(change), on=top(change, made))


def test_deleting_a_snapshot_hands_its_children_to_its_parent(registry: Registry, host: Host) -> None:
    made = host.workspace()
    with registry.changing() as change:
        for name in (BASELINE, "middle", "end"):
            snapshots.take(change, made, name, host.layer(change))
        snapshots.delete(change, made, "middle")
        assert snapshots.get(change, made, "end").parent == BASELINE
        assert layers.free_unreferenced(change) == ()  # `end` still stands on that layer
        snapshots.delete(change, made, "end")
        assert workspaces.get(change, made).at_snapshot == BASELINE


@pytest.mark.parametrize(
    ("name", "error"), [("UPPER", InvalidRequest), ("now", InvalidRequest), ("there", Conflict)]
)
def test_snapshot_names_are_checked_before_anything_is_made(
    registry: Registry, host: Host, name: str, error: type[Exception]
) -> None:
    made = host.workspace()
    with registry.changing() as change:
        snapshots.take(change, made, "there", host.layer(change))
    with registry.reading() as reading, pytest.raises(error):
        snapshots.check_new(reading, made, name)


def test_an_unknown_snapshot_names_those_there_are(registry: Registry, host: Host) -> None:
    made = host.workspace()
    with registry.changing() as change:
        snapshots.take(change, made, BASELINE, host.layer(change))
    with registry.reading() as reading, pytest.raises(NotFound) as missing:
        snapshots.get(reading, made, "other")
    assert BASELINE in (missing.value.hint or "")
    with pytest.raises(InvalidRequest), registry.changing() as change:
        snapshots.delete(change, made, BASELINE)


def test_files_that_nobody_recorded_are_strays(registry: Registry, host: Host) -> None:
    made = host.workspace()
    with registry.changing() as change:
        planned = host.layer(change)
        recorded = layers.get(change, top(change, made)).path
        stray = host.directory / "ly-zzzzzzzzzz.qcow2"
        assert layers.strays(change, [planned.path, recorded, stray]) == (stray,)


STEPS = st.lists(
    st.sampled_from(["snapshot", "reset", "fork", "fork-now", "delete", "delete-snapshot"]), max_size=14
)


@settings(max_examples=25, deadline=None)
@given(steps=STEPS, choices=st.randoms(use_true_random=False))
def test_whatever_happens_exactly_the_needed_layers_are_kept(steps: list[str], choices: Random) -> None:
    with TemporaryDirectory() as directory:
        registry = Registry(Path(directory) / "registry.sqlite")
        host = Host(registry, Path(directory) / "layers")
        there = [host.workspace()]
        with registry.changing() as change:
            snapshots.take(change, there[0], BASELINE, host.layer(change))
        for number, step in enumerate(steps):
            new = host.workspace()
            with registry.changing(durable=False) as change:
                if there and _play(change, host, step, number, choices.choice(there), new, choices):
                    there.append(new)
                else:
                    workspaces.remove(change, new)
                there = [workspace for workspace in there if workspaces.find(change, workspace)]
                layers.free_unreferenced(change)
                _check(change, there)
        registry.close()


def _play(change: Change, host: Host, step: str, number: int, one: str, new: str, choices: Random) -> bool:
    """Take one step in workspace `one`; tells whether `new` grew from it."""
    name = choices.choice(snapshots.listed(change, one)).name
    match step:
        case "snapshot":
            snapshots.take(change, one, f"s{number}", host.layer(change))
        case "reset":
            snapshots.reset(change, one, name, host.layer(change))
        case "fork":
            ground = snapshots.get(change, one, name).layer_id
            snapshots.branch(change, one, new, host.layer(change), at=name, layer_id=ground)
        case "fork-now":
            ground = snapshots.stack(change, one, host.layer(change))
            snapshots.branch(change, one, new, host.layer(change), at=None, layer_id=ground)
        case "delete":
            workspaces.remove(change, one)
        case _ if name != BASELINE:
            snapshots.delete(change, one, name)
    return step.startswith("fork")


def _check(change: Change, there: list[str]) -> None:
    """Compare with what every workspace's disk and snapshots stand on, followed one by one."""
    standing = [top(change, workspace) for workspace in there]
    standing += [s.layer_id for workspace in there for s in snapshots.listed(change, workspace)]
    needed = {below.id for layer in standing for below in layers.chain(change, layer)}
    assert set(layers.references(change)) == needed
    assert all(count > 0 for count in layers.references(change).values())
    doomed = {r.path for r in resources.recorded(change) if r.phase == "doomed"}
    assert not doomed & {layers.get(change, layer).path for layer in needed}
