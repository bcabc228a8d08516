"""What is remembered of a push: it goes where the disk goes, and what is not known for certain is in doubt."""

import threading
from collections.abc import Callable
from typing import NoReturn

import pytest
from tests.unit.pyro_mcp.workspaces.pretended import Pretended

from pyro_mcp.errors import Conflict, GuestFailed, HostUnfit, LimitReached
from pyro_mcp.workspaces.push import memory
from pyro_mcp.workspaces.push.memory import Agreed, Memory, one_push
from pyro_mcp.workspaces.push.merging import merge
from pyro_mcp.workspaces.registry import layers, snapshots, workspaces
from pyro_mcp.workspaces.registry.layers import PlannedLayer
from pyro_mcp.workspaces.registry.makers import this_process
from pyro_mcp.workspaces.registry.names import new_id
from pyro_mcp.workspaces.registry.workspaces import NewWorkspace
from pyro_mcp.workspaces.seeding.manifest import Item

OLD, NEW, LATER = (Item("file", 0o644, 1, 0, bytes([number]) * 32) for number in range(3))


@pytest.fixture
def disk(workspace: Pretended) -> Pretended:
    """A workspace with a disk: one layer."""
    lowest = _layer(workspace)
    with workspace.sessions.registry.changing() as change:
        layers.put_on_top(change, workspace.id, lowest, on=None)
    return workspace


def _layer(workspace: Pretended) -> PlannedLayer:
    directory = workspace.sessions.paths.state / "layers"
    directory.mkdir(parents=True, exist_ok=True)
    with workspace.sessions.registry.changing() as change:
        planned = layers.plan(change, directory, size_mib=1, owner=workspace.id, maker=this_process())
    planned.path.touch()
    return planned


def _snapshot(workspace: Pretended, name: str) -> None:
    overlay = _layer(workspace)
    with workspace.sessions.registry.changing() as change:
        snapshots.take(change, workspace.id, name, overlay)


def _reset(workspace: Pretended, name: str) -> None:
    overlay = _layer(workspace)
    with workspace.sessions.registry.changing() as change:
        snapshots.reset(change, workspace.id, name, overlay)
    workspace.sessions.grounds.free_layers()


def _base(workspace: Pretended, below: bytes = b"") -> dict[bytes, Item]:
    return dict(Memory(workspace.sessions, workspace.id, below).base)


def _push(workspace: Pretended, agreed: Agreed, below: bytes = b"") -> None:
    with (
        one_push(workspace.sessions, workspace.id),
        Memory(workspace.sessions, workspace.id, below).remembering(agreed),
    ):
        pass


def _files(workspace: Pretended) -> list[str]:
    directory = workspace.sessions.directories.pushed(workspace.id)
    return [path.name for path in directory.glob("*")]


def test_what_was_pushed_is_known_afterwards(disk: Pretended) -> None:
    _push(disk, {b"a": OLD, b"gone": OLD})
    _push(disk, {b"a": NEW, b"gone": None})
    _push(disk, {b"b": OLD}, below=b"d/e/")
    assert _base(disk) == {b"a": NEW, b"d/e/b": OLD}
    assert _base(disk, b"d/") == {b"e/b": OLD}
    assert _files(disk) == [disk.record.top_layer]


def test_a_reset_forgets_what_it_takes_back_and_no_more(disk: Pretended) -> None:
    _push(disk, {b"a": OLD})
    _snapshot(disk, "one")
    _push(disk, {b"a": NEW, b"b": NEW})
    _snapshot(disk, "two")
    _push(disk, {b"a": LATER, b"b": None})
    assert _base(disk) == {b"a": LATER}
    _reset(disk, "two")
    assert _base(disk) == {b"a": NEW, b"b": NEW}
    _reset(disk, "one")
    assert _base(disk) == {b"a": OLD}


def test_what_was_pushed_into_layers_that_are_gone_is_removed(disk: Pretended) -> None:
    _snapshot(disk, "one")
    _push(disk, {b"a": OLD})
    _reset(disk, "one")
    _push(disk, {b"a": NEW})
    assert _files(disk) == [disk.record.top_layer]


def test_a_fork_knows_what_was_pushed_into_what_it_stands_on(disk: Pretended) -> None:
    _push(disk, {b"a": OLD})
    _snapshot(disk, "one")
    _push(disk, {b"b": NEW})
    sessions = disk.sessions
    new = NewWorkspace(id=new_id("ws"), environment="debian:12", environment_digest="d" * 64)
    with sessions.registry.changing() as change:
        fork = workspaces.add(change, new, this_process())
    overlay = _layer(disk)
    with sessions.registry.changing() as change:
        at = snapshots.get(change, disk.id, "one")
        snapshots.branch(change, disk.id, fork.id, overlay, at="one", layer_id=at.layer_id)
    sessions.directories.copy_pushed(disk.id, fork.id)
    assert Memory(sessions, fork.id, b"").base == {b"a": OLD}


@pytest.mark.parametrize(("error", "base"), [(Conflict, OLD), (LimitReached, OLD), (GuestFailed, None)])
def test_a_push_that_failed_is_forgotten_or_in_doubt(
    disk: Pretended, error: type[Exception], base: Item | None
) -> None:
    """In doubt, neither version counts as the one that nobody changed."""
    _push(disk, {b"a": OLD})
    with (
        pytest.raises(error),
        Memory(disk.sessions, disk.id, b"").remembering({b"a": NEW}),
    ):
        raise error("so it is")
    found = _base(disk)[b"a"]
    if base is not None:
        assert found == base
        return
    assert merge(found, NEW, OLD).clash
    assert merge(found, OLD, NEW).clash
    assert merge(found, NEW, None).clash
    assert not merge(found, NEW, NEW).clash


def test_a_push_that_was_carried_out_does_not_fail_because_it_cannot_be_remembered(
    disk: Pretended, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> NoReturn:
        raise OSError("no room")

    with Memory(disk.sessions, disk.id, b"").remembering({b"a": NEW}):
        monkeypatch.setattr(memory, "write_whole", refuse)
    monkeypatch.undo()
    assert merge(_base(disk)[b"a"], NEW, OLD).clash


def test_nothing_is_pushed_where_nothing_can_be_written_down(
    disk: Pretended, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> NoReturn:
        raise OSError("no room")

    monkeypatch.setattr(memory, "write_whole", refuse)
    with pytest.raises(HostUnfit, match="what was pushed"):
        _push(disk, {b"a": NEW})


def test_where_it_cannot_be_read_all_may_be_the_workspaces_own(disk: Pretended) -> None:
    _push(disk, {b"a": OLD})
    top = disk.record.top_layer
    assert top
    place = disk.sessions.directories.pushed(disk.id) / top
    place.write_bytes(b"\0\0?")
    assert _base(disk) == {}
    _push(disk, {b"a": NEW})
    assert place.read_bytes() == b"\0\0?"


@pytest.mark.parametrize("when", ["before", "while"])
def test_a_reset_in_the_middle_of_a_push_leaves_nothing_of_it(disk: Pretended, when: str) -> None:
    _snapshot(disk, "one")
    found = Memory(disk.sessions, disk.id, b"")
    if when == "before":
        _reset(disk, "one")
        with pytest.raises(Conflict, match="reset"), found.remembering({b"a": NEW}):
            pass
    else:
        with found.remembering({b"a": NEW}):
            _reset(disk, "one")
    assert _base(disk) == {}


def test_a_snapshot_in_the_middle_of_a_push_is_in_doubt_about_it(disk: Pretended) -> None:
    with Memory(disk.sessions, disk.id, b"").remembering({b"a": NEW}):
        _snapshot(disk, "one")
    assert _base(disk) == {b"a": NEW}
    _reset(disk, "one")
    assert merge(_base(disk)[b"a"], NEW, OLD).clash


def test_pushes_at_once_wait_for_each_other(disk: Pretended) -> None:
    def push(number: int) -> Callable[[], None]:
        return lambda: _push(disk, {b"%d" % number: NEW})

    threads = [threading.Thread(target=push(number)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert _base(disk) == {b"%d" % number: NEW for number in range(8)}
    assert _files(disk) == [disk.record.top_layer]
