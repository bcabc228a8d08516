"""A workspace's own directory: on record before it is there, gone with all in it."""

from tests.unit.pyro_mcp.workspaces.pretended import Pretended


def test_it_goes_with_all_that_is_in_it_and_may_be_gone_before(workspace: Pretended) -> None:
    directories = workspace.sessions.directories
    _, made = directories.outputs(workspace.id).new()
    assert made.is_relative_to(directories.of(workspace.id))
    for _ in range(2):
        directories.remove(workspace.id)
        assert not directories.of(workspace.id).exists()


def test_what_a_crash_leaves_of_it_is_found_with_its_workspace(workspace: Pretended) -> None:
    directory = workspace.sessions.directories.of(workspace.id)
    with workspace.sessions.registry.changing() as change:
        workspace.sessions.directories.record(change, workspace.id)
    directory.mkdir(parents=True)
    with workspace.sessions.registry.changing() as change:
        change.run("DELETE FROM workspaces WHERE id = ?", (workspace.id,))
    workspace.sessions.tidy()
    assert not directory.exists()
