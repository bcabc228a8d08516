"""What is written down of an operation: without secrets, and only of a workspace that is there."""

import json

from tests.unit.pyro_mcp.workspaces.pretended import Pretended, pretended

from pyro_mcp.workspaces.history import events
from pyro_mcp.workspaces.machines.network import RECORD


def _kinds(workspace: Pretended) -> list[tuple[str, str]]:
    with workspace.sessions.registry.reading() as reading:
        return [(event.kind, event.outcome) for event in events.page(reading, workspace.id).events]


def test_an_operation_follows_what_the_keeper_decided_until_then(workspace: Pretended) -> None:
    directory = workspace.sessions.directories.of(workspace.id)
    directory.mkdir(parents=True)
    told = {"at": 0, "outcome": "refused", "host": "example.org", "port": 443}
    (directory / RECORD).write_text(json.dumps(told) + "\n")
    workspace.sessions.history.log(workspace.id, "exec", 0.0, {"command": "true"})
    assert _kinds(workspace) == [("network", "policy_denied"), ("exec", "done")]
    workspace.sessions.history.log_network(workspace.id)
    assert len(_kinds(workspace)) == 2


def test_no_event_tells_a_secret() -> None:
    with pretended(given={"TOKEN": b"a value that is long"}) as workspace:
        workspace.sessions.history.log(workspace.id, "exec", 0.0, {"command": "echo a value that is long"})
        with workspace.sessions.registry.reading() as reading:
            (event,) = events.page(reading, workspace.id).events
    assert "a value" not in event.data
    assert "TOKEN" in event.data


def test_a_workspace_that_is_gone_has_no_history(workspace: Pretended) -> None:
    record = workspace.record
    workspace.sessions.remove(record)
    workspace.sessions.history.log(record.id, "delete", 0.0, {})
    workspace.sessions.history.log_network(record.id)
    assert _kinds(workspace) == []
