"""Commands whose results are kept: nothing here needs a machine."""

import json

from tests.unit.pyro_mcp.workspaces.pretended import Pretended, pretended

from pyro_mcp.models.network import NetworkDecision
from pyro_mcp.models.workspace import ExecResult
from pyro_mcp.workspaces.exec import NOTHING_TOLD, Told, wait_for_exec


def _ended(workspace: Pretended, said: str, told: Told, most: int, **more: object) -> ExecResult:
    exec_id, directory = workspace.sessions.directories.outputs(workspace.id).new()
    (directory / "stdout").write_text(said)
    (directory / "result.json").write_text(json.dumps({"exit_code": 0, "duration_ms": 5, **more}))
    return wait_for_exec(
        workspace.sessions,
        workspace.id,
        exec_id,
        wait_seconds=0,
        action="wait",
        told=told,
        max_output_chars=most,
    )


def test_what_was_told_is_not_told_again() -> None:
    with pretended() as workspace:
        whole = _ended(workspace, "tick 1\ntick 2\n", NOTHING_TOLD, 1000)
        assert (whole.stdout, whole.stdout_from, whole.stdout_bytes) == ("tick 1\ntick 2\n", 0, 14)
        rest = _ended(workspace, "tick 1\ntick 2\n", Told(7), 1000)
        assert (rest.stdout, rest.stdout_from, rest.stdout_bytes) == ("tick 2\n", 7, 14)
        cut = _ended(workspace, "x" * 7 + "line\n" * 1000, Told(7), 1000)
        assert cut.stdout_truncated
        assert len(cut.stdout) <= 500
        assert cut.stdout_bytes == 5007


def test_what_was_refused_and_what_was_left_running_is_in_the_answer() -> None:
    refused = [{"outcome": "refused", "host": "pypi.org", "reason": "it has no network"}]
    with pretended() as workspace:
        found = _ended(workspace, "", NOTHING_TOLD, 1000, refused=refused, left_running=True)
    assert found.network == (NetworkDecision(outcome="refused", host="pypi.org", reason="it has no network"),)
    assert found.no_network
    assert found.left_running
