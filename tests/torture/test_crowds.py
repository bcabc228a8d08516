"""Twenty clients of one workspace, and one client of twenty: for many rounds. `-s` shows the longest waits."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.crowd import Crowd, many_on_one, one_on_many

from pyro_mcp import Pyro
from pyro_mcp.environments.values import Environment

_ROUNDS, _CLIENTS, _WORKSPACES = 10, 20, 20


@pytest.mark.timeout(600)
def test_twenty_clients_of_one_workspace(environment: Environment) -> None:
    with Pyro().workspace.create() as workspace:
        crowd = many_on_one(workspace.info.workspace_id, _CLIENTS, _ROUNDS)
    _is_right(crowd, _CLIENTS)


@pytest.mark.timeout(600)
def test_one_client_of_twenty_workspaces(environment: Environment) -> None:
    pyro = Pyro()
    with ThreadPoolExecutor(_WORKSPACES) as threads:

        def create(number: int) -> str:
            return pyro.workspace.create(name=f"crowd-{number}", mem_mib=512).info.name or ""

        names = list(threads.map(create, range(_WORKSPACES)))
        try:
            crowd = one_on_many(names, _ROUNDS)
        finally:
            list(threads.map(pyro.workspace.delete, names))
    _is_right(crowd, _WORKSPACES)


def _is_right(crowd: Crowd, workers: int) -> None:
    print("longest, in seconds:", {kind: round(longest, 2) for kind, longest in crowd.longest.items()})
    assert not crowd.wrong
    assert crowd.rounds == [_ROUNDS] * workers
