"""The history can be asked for the kinds of events that there are, and says which these are."""

import re
from pathlib import Path

import pytest

import pyro_mcp.workspaces
from pyro_mcp.errors import InvalidRequest
from pyro_mcp.workspaces.history.logs import KINDS, workspace_logs

# `sessions.using(workspace, "file.edit"`, and whatever else opens or logs one.
_LOGGED = re.compile(
    r"""(?:\.using|_session|told|at_shell|history\.log|events\.append)\(\s*[^"()]*f?"([a-z]+)[."]"""
)


def test_every_kind_that_is_logged_can_be_asked_for() -> None:
    places = (Path(pyro_mcp.workspaces.__file__).parent, Path(pyro_mcp.__file__).parent / "operations")
    found = {
        kind
        for place in places
        for source in place.rglob("*.py")
        for kind in _LOGGED.findall(source.read_text(encoding="utf-8"))
    }
    assert found == set(KINDS)


def test_a_kind_that_there_is_not_is_told_those_there_are() -> None:
    with pytest.raises(InvalidRequest, match="no events of a kind 'foo'") as refused:
        workspace_logs(None, "a", limit=1, since=None, kind="foo")  # type: ignore[arg-type]  # comes first
    assert "exec, export, file" in (refused.value.hint or "")
