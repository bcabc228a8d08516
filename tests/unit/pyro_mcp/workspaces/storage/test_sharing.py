from pathlib import Path

import pytest

from pyro_mcp.errors import HostUnfit
from pyro_mcp.host.paths import Paths
from pyro_mcp.workspaces.registry import Registry, workspaces
from pyro_mcp.workspaces.registry.makers import this_process
from pyro_mcp.workspaces.registry.names import new_id
from pyro_mcp.workspaces.registry.workspaces import NewWorkspace
from pyro_mcp.workspaces.storage.sharing import environments_used_elsewhere, leave_mark


def of_state(tmp_path: Path, name: str) -> Paths:
    """One of several users of one cache."""
    return Paths(tmp_path / "cache", tmp_path / name, tmp_path / "runtime", tmp_path / "config")


def with_workspace(paths: Paths, digest: str) -> None:
    registry = Registry.at(paths)
    with registry.changing() as change:
        new = NewWorkspace(id=new_id("ws"), environment="debian:12", environment_digest=digest)
        workspaces.add(change, new, this_process())
    registry.close()
    leave_mark(paths)


def test_each_sees_what_the_others_stand_on(tmp_path: Path) -> None:
    one, two, three = (of_state(tmp_path, name) for name in ("one", "two", "three"))
    assert environments_used_elsewhere(one) == frozenset()
    with_workspace(one, "a")
    with_workspace(two, "b")
    with_workspace(two, "c")
    assert environments_used_elsewhere(one) == {"b", "c"}
    assert environments_used_elsewhere(two) == {"a"}
    assert environments_used_elsewhere(three) == {"a", "b", "c"}


def test_a_state_directory_that_is_gone_is_forgotten(tmp_path: Path) -> None:
    one, two = of_state(tmp_path, "one"), of_state(tmp_path, "two")
    with_workspace(two, "b")
    (tmp_path / "two").rename(tmp_path / "elsewhere")
    assert environments_used_elsewhere(one) == frozenset()
    assert not list((tmp_path / "cache/states").iterdir())


def test_a_state_directory_on_a_disk_that_is_not_mounted_is_not_forgotten(tmp_path: Path) -> None:
    """Its mount point is there, and empty: nobody knows what the workspaces on it stand on."""
    one = of_state(tmp_path, "one")
    (tmp_path / "disk").mkdir()
    away = of_state(tmp_path, "disk/home/state")
    with_workspace(away, "b")
    (tmp_path / "disk/home").rename(tmp_path / "elsewhere")
    with pytest.raises(HostUnfit, match="nobody knows") as caught:
        environments_used_elsewhere(one)
    (mark,) = (tmp_path / "cache/states").iterdir()
    assert str(mark) in caught.value.hint
    (tmp_path / "elsewhere").rename(tmp_path / "disk/home")
    assert environments_used_elsewhere(one) == {"b"}


def test_a_state_directory_without_workspaces_yet_stands_on_nothing(tmp_path: Path) -> None:
    one, two = of_state(tmp_path, "one"), of_state(tmp_path, "two")
    two.state.mkdir()
    leave_mark(two)
    leave_mark(two)
    assert environments_used_elsewhere(one) == frozenset()
    assert len(list((tmp_path / "cache/states").iterdir())) == 1


def test_what_cannot_be_read_is_no_licence_to_free(tmp_path: Path) -> None:
    one, two = of_state(tmp_path, "one"), of_state(tmp_path, "two")
    two.state.mkdir()
    (two.state / "registry.sqlite").write_bytes(b"no database" * 1000)
    leave_mark(two)
    with pytest.raises(HostUnfit, match="cannot be used"):
        environments_used_elsewhere(one)


def test_another_registry_is_left_as_it_is(tmp_path: Path) -> None:
    one, two = of_state(tmp_path, "one"), of_state(tmp_path, "two")
    with_workspace(two, "b")
    before = (two.state / "registry.sqlite").read_bytes()
    environments_used_elsewhere(one)
    assert (two.state / "registry.sqlite").read_bytes() == before


def test_a_cache_that_cannot_be_written_needs_no_mark(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("in the way")
    leave_mark(of_state(tmp_path, "one"))
    assert (tmp_path / "cache").read_text() == "in the way"
