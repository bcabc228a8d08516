"""Of several workspaces each has its own outcome: answers on stdout, errors on stderr, the first failure as the status."""

import json

import pytest
from tests.unit.pyro_mcp.cli.conftest import AskInstead

from pyro_mcp.cli.main import run_cli
from pyro_mcp.errors import LimitReached, NotFound
from pyro_mcp.models.workspace import DeletedWorkspace, ForkOutcome

_NO_ROOM = ForkOutcome(workspace=None, error="there is no room", code="limit_reached", hint="Free some.")


@pytest.mark.parametrize("option", [(), ("--id-only",)])
def test_a_fork_that_failed_says_why_on_stderr_and_fails_the_command(
    option: tuple[str, ...], ask_instead: AskInstead, capsys: pytest.CaptureFixture[str]
) -> None:
    ask_instead("snapshots.fork_workspace", [_NO_ROOM])
    assert run_cli(["workspace", "fork", "tidy-otter", *option]) == LimitReached.exit_status
    assert capsys.readouterr() == ("", "error: not forked: there is no room\nhint: Free some.\n")


def test_forks_as_json_are_one_object(ask_instead: AskInstead, capsys: pytest.CaptureFixture[str]) -> None:
    ask_instead("snapshots.fork_workspace", [_NO_ROOM])
    assert run_cli(["workspace", "fork", "tidy-otter", "--json"]) == LimitReached.exit_status
    assert json.loads(capsys.readouterr().out)["forks"][0]["code"] == "limit_reached"


@pytest.mark.parametrize(
    ("filters", "told"),
    [
        ((), "no workspaces; make one"),
        (("--limit", "3"), "no workspaces; make one"),
        (("--label", "a=b"), "no workspace is like that"),
        (("--state", "running"), "no workspace is like that"),
    ],
)
def test_that_none_is_like_that_is_not_that_there_is_none(
    filters: tuple[str, ...], told: str, ask_instead: AskInstead, capsys: pytest.CaptureFixture[str]
) -> None:
    ask_instead("lifecycle.list_workspaces", [])
    assert run_cli(["workspace", "list", *filters]) == 0
    assert told in capsys.readouterr().out


def _delete(_: object, name: str) -> DeletedWorkspace:
    if name == "gone":
        raise NotFound("there is no workspace 'gone'", hint="Look.")
    return DeletedWorkspace(workspace_id=f"ws-{name}", name=name, freed_bytes=1000)


def test_each_that_can_be_is_deleted(
    ask_instead: AskInstead, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ask_instead("lifecycle.delete_workspace", None)
    monkeypatch.setattr("pyro_mcp.workspaces.lifecycle.delete_workspace", _delete)
    assert run_cli(["workspace", "delete", "one", "gone", "two"]) == NotFound.exit_status
    assert capsys.readouterr() == (
        "one is deleted, 1 KB freed\ntwo is deleted, 1 KB freed\n",
        "error: there is no workspace 'gone'\nhint: Look.\n",
    )
    assert run_cli(["workspace", "delete", "--json", "one", "gone"]) == NotFound.exit_status
    first, second = json.loads(capsys.readouterr().out)["workspaces"]
    assert (first["workspace_id"], second["workspace"], second["code"]) == ("ws-one", "gone", "not_found")


def test_one_alone_is_one_object(
    ask_instead: AskInstead, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ask_instead("lifecycle.delete_workspace", None)
    monkeypatch.setattr("pyro_mcp.workspaces.lifecycle.delete_workspace", _delete)
    assert run_cli(["workspace", "delete", "--json", "one"]) == 0
    assert json.loads(capsys.readouterr().out)["workspace_id"] == "ws-one"
    assert run_cli(["workspace", "delete", "--json", "gone"]) == NotFound.exit_status
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "not_found"
