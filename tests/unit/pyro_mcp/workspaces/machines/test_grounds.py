"""What a workspace stands on, and what is said when that is gone."""

from pathlib import Path

import pytest
from tests.unit.pyro_mcp.environments.builders import Builders
from tests.unit.pyro_mcp.workspaces.pretended import Pretended

from pyro_mcp.errors import NotFound
from pyro_mcp.workspaces.registry import resources, workspaces


def _stands_on(workspace: Pretended, digest: str) -> None:
    with workspace.sessions.registry.changing() as change:
        change.run("UPDATE workspaces SET environment_digest = ? WHERE id = ?", (digest, workspace.id))


def test_the_environment_stays_the_one_it_was_made_with(
    workspace: Pretended, monkeypatch: pytest.MonkeyPatch
) -> None:
    builders = Builders(monkeypatch)
    old = workspace.sessions.environments.ensure("debian:12")
    _stands_on(workspace, old.digest)
    assert workspace.sessions.grounds.environment_of(workspace.record) == old
    builders.archive = "tuesday"
    assert workspace.sessions.environments.ensure("debian:12", refresh=True).digest != old.digest
    assert workspace.sessions.grounds.environment_of(workspace.record).image == old.image


def test_an_image_that_is_gone_is_named_with_the_way_out(workspace: Pretended) -> None:
    with pytest.raises(NotFound, match="the image of debian:12") as caught:
        workspace.sessions.grounds.environment_of(workspace.record)
    assert "pyro env pull" in (caught.value.hint or "")


def test_a_seed_that_is_gone_is_named(workspace: Pretended) -> None:
    assert workspace.sessions.grounds.disk_of(workspace.record, None).seed is None
    with workspace.sessions.registry.changing() as change:
        workspaces.set_seed(change, workspace.id, "0" * 64, "{}")
    with pytest.raises(NotFound, match="the seed"):
        workspace.sessions.grounds.disk_of(workspace.record, None)


def test_a_layer_that_could_not_be_made_leaves_nothing_to_clean(
    workspace: Pretended, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path, size: object) -> None:
        path.touch()
        raise OSError("no room")

    monkeypatch.setattr(workspace.sessions.shop, "new_layer", fail)
    with pytest.raises(OSError, match="no room"):
        workspace.sessions.grounds.new_layer(workspace.record)
    workspace.sessions.tidy()
    assert not list((workspace.sessions.paths.state / "layers").iterdir())
    with workspace.sessions.registry.reading() as reading:
        assert resources.recorded(reading) == ()
