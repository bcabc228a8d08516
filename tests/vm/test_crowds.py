"""Many at once: clients of one workspace, and one client of many. All are served right, none starves, nothing is left over.

The full numbers are in `make torture` (tests/torture/test_crowds.py).
"""

from pathlib import Path

from tests.crowd import many_on_one, one_on_many
from tests.remains import keeper_of, links_of

from pyro_mcp import Pyro
from pyro_mcp.environments.values import Environment

_CLIENTS, _WORKSPACES, _ROUNDS = 20, 3, 2
# An answer of a workspace alone takes 50 ms, so twenty take a second; a host busy with other things takes a few.
_STARVED_SECONDS = 20


def test_twenty_clients_of_one_workspace(environment: Environment, home: Path) -> None:
    with Pyro().workspace.create() as workspace:
        workspace.exec("true")
        keeper = keeper_of(home)
        assert keeper is not None
        before = len(list(links_of(keeper.pid)))
        crowd = many_on_one(workspace.info.workspace_id, _CLIENTS, _ROUNDS)
        assert not crowd.wrong
        assert crowd.rounds == [_ROUNDS] * _CLIENTS
        assert max(crowd.longest.values()) < _STARVED_SECONDS, crowd.longest
        assert len(workspace.diff().files) == _CLIENTS
        assert workspace.status().running == ()
        assert (
            len(list(links_of(keeper.pid))) <= before + 1
        )  # at most the line of a client that is just leaving


def test_one_client_of_several_workspaces(environment: Environment) -> None:
    pyro = Pyro()
    names = [pyro.workspace.create(name=f"crowd-{number}").info.name or "" for number in range(_WORKSPACES)]
    try:
        crowd = one_on_many(names, _ROUNDS)
        assert not crowd.wrong
        assert crowd.rounds == [_ROUNDS] * _WORKSPACES
    finally:
        for name in names:
            pyro.workspace.delete(name)
