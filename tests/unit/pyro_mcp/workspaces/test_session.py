"""Using a workspace without starting one: what is refused, what is written down, and the end of its time."""

import json

import pytest
from tests.unit.pyro_mcp.workspaces.pretended import Pretended, pretended

from pyro_mcp.errors import Conflict, NotFound
from pyro_mcp.workspaces.history import events
from pyro_mcp.workspaces.registry import workspaces
from pyro_mcp.workspaces.registry.makers import this_process


def test_an_operation_on_a_running_machine_leaves_an_event(workspace: Pretended) -> None:
    workspace.runs()
    with workspace.sessions.using(workspace.id, "exec", command="true") as session:
        session.note(exit_code=0)
    assert session.resumed is None
    with workspace.sessions.registry.reading() as reading:
        (event,) = events.page(reading, workspace.id).events
    assert (event.kind, event.outcome) == ("exec", "done")
    assert json.loads(event.data) == {"command": "true", "exit_code": 0}


def test_what_goes_wrong_is_written_down_and_told_without_secrets() -> None:
    with pretended(given={"TOKEN": b"a value that is long"}) as workspace:
        workspace.runs()
        with (
            pytest.raises(NotFound) as caught,
            workspace.sessions.using(workspace.id, "file.read"),
        ):
            raise NotFound("no file named a value that is long")
        with workspace.sessions.registry.reading() as reading:
            (event,) = events.page(reading, workspace.id).events
    assert "TOKEN" in caught.value.brief
    assert event.outcome == "not_found"


def test_one_that_is_being_deleted_is_not_started(workspace: Pretended) -> None:
    with workspace.sessions.registry.changing() as change:
        workspaces.set_state(change, workspace.id, "deleting", maker=this_process())
    with pytest.raises(Conflict, match="is deleting"), workspace.sessions.using(workspace.id, "exec"):
        pass


def test_what_has_outlived_its_time_is_deleted_with_its_files(workspace: Pretended) -> None:
    directory = workspace.sessions.directories.of(workspace.id)
    directory.mkdir(parents=True)
    with workspace.sessions.registry.changing() as change:
        change.run("UPDATE workspaces SET ttl_seconds = 1, created_at = 0 WHERE id = ?", (workspace.id,))
    workspace.sessions.tidy()
    assert not directory.exists()
    with pytest.raises(NotFound):
        workspace.sessions.record(workspace.id)
