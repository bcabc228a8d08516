"""What a door that tells each thing once has told of a command that goes on."""

from dataclasses import replace
from typing import cast

import pytest
from tests.doors import MemoryEngine

from pyro_mcp import Pyro
from pyro_mcp.models.workspace import ExecOutcome, ExecResult
from pyro_mcp.workspaces.exec import NOTHING_TOLD, Told
from pyro_mcp.workspaces.session import Sessions

ID = "out-4h7k2m9qxz"
RUNNING = ExecResult(
    outcome="running", exit_code=None, duration_ms=5, exec_id=ID, output_id=ID, stdout_bytes=10
)


class _Engine(MemoryEngine):
    sessions = cast(Sessions, None)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Told]:
    """What each wait says that its caller has had; the command writes ten bytes between two and ends after the third."""
    found: list[Told] = []

    def wait(*_: object, told: Told, **__: object) -> ExecResult:
        found.append(told)
        outcome: ExecOutcome = "running" if len(found) < 3 else "finished"
        return replace(RUNNING, outcome=outcome, stdout_bytes=10 + 10 * len(found))

    monkeypatch.setattr("pyro_mcp.workspaces.exec.exec_command", lambda *_: RUNNING)
    monkeypatch.setattr("pyro_mcp.workspaces.exec.wait_for_exec", wait)
    return found


def test_a_model_is_told_each_thing_once_until_the_end(asked: list[Told]) -> None:
    pyro = Pyro(engine=_Engine()).bounded(1000)
    pyro.workspace.exec("w", "make")
    for _ in range(4):
        pyro.workspace.exec_wait("w", ID)
    assert asked == [Told(10), Told(20), Told(30), NOTHING_TOLD]


def test_a_program_is_told_all_each_time(asked: list[Told]) -> None:
    pyro = Pyro(engine=_Engine())
    pyro.workspace.exec("w", "make")
    for _ in range(2):
        pyro.workspace.exec_wait("w", ID)
    assert asked == [NOTHING_TOLD] * 2
