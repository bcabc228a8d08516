"""A registry of the test's own, and short ways to fill it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pyro_mcp.workspaces.registry import Change, Registry, layers, workspaces
from pyro_mcp.workspaces.registry.makers import this_process
from pyro_mcp.workspaces.registry.names import new_id
from pyro_mcp.workspaces.registry.workspaces import NewWorkspace


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    opened = Registry(tmp_path / "state" / "registry.sqlite")
    yield opened
    opened.close()


class Host:
    """A pretended host: workspaces with disks, without files or machines behind them."""

    def __init__(self, registry: Registry, directory: Path) -> None:
        self.registry = registry
        self.directory = directory

    def workspace(self, name: str | None = None, **facts: object) -> str:
        new = NewWorkspace(
            id=new_id("ws"),
            name=name,
            environment="debian:12",
            environment_digest="e",
            **facts,  # type: ignore[arg-type]
        )
        with self.registry.changing() as change:
            workspaces.add(change, new, this_process())
            workspaces.set_state(change, new.id, "stopped")
            layers.put_on_top(change, new.id, self.layer(change), on=None)
        return new.id

    def layer(self, change: Change) -> layers.PlannedLayer:
        return layers.plan(change, self.directory, size_mib=64, owner="test", maker=this_process())


@pytest.fixture
def host(registry: Registry, tmp_path: Path) -> Host:
    return Host(registry, tmp_path / "state" / "layers")
