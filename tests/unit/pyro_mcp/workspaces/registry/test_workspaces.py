from datetime import timedelta

import pytest

from pyro_mcp.errors import Conflict, InvalidRequest, NotFound
from pyro_mcp.workspaces.registry import Registry, workspaces
from pyro_mcp.workspaces.registry.makers import this_process
from pyro_mcp.workspaces.registry.workspaces import NewWorkspace

from .conftest import Host


def test_a_workspace_is_found_by_id_and_by_name(registry: Registry, host: Host) -> None:
    made = host.workspace("issue-1", labels={"team": "a"}, vcpu_count=2, ttl_seconds=60)
    with registry.reading() as reading:
        found = workspaces.get(reading, "issue-1")
        assert found == workspaces.get(reading, made)
    assert (found.id, found.name, dict(found.labels)) == (made, "issue-1", {"team": "a"})
    assert (found.vcpu_count, found.ttl_seconds, found.idle_stop_seconds) == (2, 60, 1800)
    assert found.created_at.utcoffset() == timedelta(0)


def test_a_workspace_without_a_name_gets_one(registry: Registry, host: Host) -> None:
    made = host.workspace()
    with registry.reading() as reading:
        name = workspaces.get(reading, made).name
        assert name is not None
        assert workspaces.get(reading, name).id == made


def test_an_unknown_name_hints_at_near_ones(registry: Registry, host: Host) -> None:
    host.workspace("issue-123")
    with registry.reading() as reading, pytest.raises(NotFound) as missing:
        workspaces.get(reading, "isue-123")
    assert "issue-123" in (missing.value.hint or "")


def test_a_taken_name_is_a_conflict_and_changes_nothing(registry: Registry, host: Host) -> None:
    host.workspace("one")
    other = host.workspace("two")
    with pytest.raises(Conflict) as refused:
        host.workspace("one")
    assert refused.value.hint
    with pytest.raises(Conflict), registry.changing() as change:
        workspaces.rename(change, other, "one")
    with registry.reading() as reading:
        assert sorted(str(w.name) for w in workspaces.select(reading)) == ["one", "two"]


def test_a_name_can_be_changed_and_taken_off(registry: Registry, host: Host) -> None:
    made = host.workspace("old")
    with registry.changing() as change:
        workspaces.rename(change, made, "new-name")
        assert workspaces.find(change, "old") is None
        workspaces.rename(change, made, None)
        assert workspaces.get(change, made).name is None
    with pytest.raises(InvalidRequest), registry.changing() as change:
        workspaces.rename(change, made, "ws-aaaaaaaaaa")


def test_the_list_is_filtered_and_newest_activity_comes_first(registry: Registry, host: Host) -> None:
    first = host.workspace("first", labels={"team": "a", "kind": "bug"})
    second = host.workspace("second", labels={"team": "a"})
    third = host.workspace("third", labels={"team": "b"})
    with registry.changing() as change:
        for at, made in enumerate((second, third, first)):
            change.run("UPDATE workspaces SET last_activity_at = ? WHERE id = ?", (at, made))
        workspaces.set_state(change, third, "running")
    with registry.reading() as reading:

        def names(**conditions: object) -> list[str | None]:
            return [w.name for w in workspaces.select(reading, **conditions)]  # type: ignore[arg-type]

        assert names() == ["first", "third", "second"]
        assert names(labels={"team": "a"}) == ["first", "second"]
        assert names(labels={"team": "a", "kind": "bug"}) == ["first"]
        assert names(state="running") == ["third"]
        assert names(environment="other") == []
        assert names(limit=1) == ["first"]
        assert [dict(w.labels) for w in workspaces.select(reading, state="running")] == [{"team": "b"}]


def test_labels_are_set_changed_and_taken_off(registry: Registry, host: Host) -> None:
    made = host.workspace("w", labels={"a": "1", "b": "2"})
    with registry.changing() as change:
        workspaces.relabel(change, made, {"a": "3", "b": None, "c": "4", "none": None})
        assert dict(workspaces.get(change, made).labels) == {"a": "3", "c": "4"}


def test_only_a_ttl_that_was_asked_for_expires(registry: Registry, host: Host) -> None:
    host.workspace("forever")
    short = host.workspace("short", ttl_seconds=10)
    with registry.changing() as change:
        assert workspaces.expired(change) == ()
        change.run("UPDATE workspaces SET created_at = created_at - 10000")
        assert workspaces.expired(change) == (short,)
        workspaces.set_clocks(change, short, idle_stop_seconds=None, ttl_seconds=None)
        assert workspaces.expired(change) == ()
        assert workspaces.get(change, short).idle_stop_seconds is None


def test_touching_moves_the_activity(registry: Registry, host: Host) -> None:
    made = host.workspace()
    with registry.changing(durable=False) as change:
        change.run("UPDATE workspaces SET last_activity_at = 0")
        workspaces.touch(change, made)
        found = workspaces.get(change, made)
    assert found.last_activity_at >= found.created_at


def test_the_seed_of_a_workspace_is_in_use_until_it_is_removed(registry: Registry, host: Host) -> None:
    made = host.workspace()
    with registry.changing() as change:
        workspaces.set_seed(change, made, "d1", "{}")
        assert workspaces.seeds_in_use(change) == {"d1"}
        workspaces.remove(change, made)
        assert workspaces.seeds_in_use(change) == frozenset()
        assert workspaces.find(change, made) is None


def test_a_workspace_is_creating_until_it_is_said_to_be_there(registry: Registry) -> None:
    new = NewWorkspace(id="ws-aaaaaaaaaa", environment="debian:12", environment_digest="e")
    with registry.changing() as change:
        assert workspaces.add(change, new, this_process()).state == "creating"
        workspaces.set_state(change, new.id, "running", reason="started")
        found = workspaces.get(change, new.id)
    assert (found.state, found.state_reason) == ("running", "started")
