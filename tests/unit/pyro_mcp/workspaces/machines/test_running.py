"""Which machine a workspace has, as the record and the processes of this host tell."""

import pytest
from tests.unit.pyro_mcp.workspaces.pretended import Pretended, pretended

from pyro_mcp.errors import HostUnfit
from pyro_mcp.host.processes import ProcessIdentity
from pyro_mcp.workspaces.machines.promises import Promises
from pyro_mcp.workspaces.registry import machines


def test_a_stopped_workspace_has_no_socket_and_hears_nothing(workspace: Pretended) -> None:
    assert workspace.sessions.machines.socket(workspace.id) is None
    assert workspace.sessions.machines.tell(workspace.id, {"verb": "keeper.status"}) is None


def test_a_machine_is_there_as_long_as_its_keeper_lives(workspace: Pretended) -> None:
    workspace.runs()
    socket = workspace.sessions.machines.socket(workspace.id)
    assert socket == workspace.sessions.paths.runtime / f"{workspace.id}.sock"
    with workspace.sessions.registry.changing() as change:
        machines.started(
            change, workspace.id, ProcessIdentity(2**22 + 1, 1), isolation="emulated", confinement="full"
        )
    assert workspace.sessions.machines.socket(workspace.id) is None


def test_a_keeper_that_does_not_answer_is_told_nothing(workspace: Pretended) -> None:
    workspace.runs()
    assert workspace.sessions.machines.tell(workspace.id, {"verb": "keeper.status"}) is None


@pytest.mark.parametrize(
    ("promises", "told"),
    [
        (Promises(isolation="hardware"), "isolation emulated and confinement full"),
        (Promises(confinement="full"), None),
        (Promises(), None),
    ],
)
def test_weaker_walls_than_are_insisted_on_are_refused(promises: Promises, told: str | None) -> None:
    with pretended(promises=promises) as workspace:
        workspace.runs()
        if told is None:
            workspace.sessions.machines.insist(workspace.id)
            return
        with pytest.raises(HostUnfit, match=told):
            workspace.sessions.machines.insist(workspace.id)


def test_why_it_stopped_is_told_in_the_keepers_words(workspace: Pretended) -> None:
    assert "killed" in workspace.sessions.machines.why_stopped(workspace.id)
    ended = workspace.sessions.directories.ended_file(workspace.id)
    ended.parent.mkdir(parents=True)
    ended.write_text("it was idle for 1800 s")
    assert workspace.sessions.machines.why_stopped(workspace.id) == "it was idle for 1800 s"
    ended.write_text("")
    assert "killed" in workspace.sessions.machines.why_stopped(workspace.id)


def test_stopping_what_does_not_run_says_so_and_keeps_the_reason(workspace: Pretended) -> None:
    with workspace.sessions.machines.lock(workspace.id):
        assert not workspace.sessions.machines.stop(workspace.record, "somebody stopped it")
    assert (workspace.record.state, workspace.record.state_reason) == ("stopped", "somebody stopped it")
