from collections.abc import Callable
from datetime import UTC, datetime
from typing import cast

import pytest
from tests.doors import MemoryEngine

from pyro_mcp import InvalidRequest, NotFound, Pyro, Workspace
from pyro_mcp.models.workspace import WorkspaceStatus
from pyro_mcp.operations.catalogue import operation_named
from pyro_mcp.workspaces.lifecycle import CreateRequest
from pyro_mcp.workspaces.session import Sessions

_NOW = datetime(2026, 1, 1, tzinfo=UTC)
MADE = WorkspaceStatus(
    workspace_id="ws-0123456789",
    name="tidy-otter",
    state="running",
    state_reason=None,
    environment="debian:12",
    isolation="emulated",
    confinement="full",
    created_at=_NOW,
    last_activity_at=_NOW,
    vcpu_count=1,
    mem_mib=1024,
    disk_mib=16384,
    idle_stop_seconds=1800,
    ttl_seconds=None,
    seed=None,
    stored_bytes=0,
    output_bytes=0,
)


class _Engine(MemoryEngine):
    sessions = cast(Sessions, None)


@pytest.fixture
def pyro(monkeypatch: pytest.MonkeyPatch) -> Pyro:
    """A client whose workspaces can be made and deleted, in name only."""
    monkeypatch.setattr("pyro_mcp.workspaces.lifecycle.create_workspace", lambda sessions, request: MADE)
    return Pyro(engine=_Engine())


def test_a_handle_fills_the_workspace_in(pyro: Pyro, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(
        "pyro_mcp.workspaces.lifecycle.workspace_status", lambda sessions, name: asked.append(name)
    )
    workspace = pyro.workspace.create()
    assert isinstance(workspace, Workspace)
    assert workspace.info is MADE
    workspace.status()
    assert asked == ["ws-0123456789"]


@pytest.mark.parametrize("gone_before", [False, True])
def test_the_end_of_the_block_deletes(pyro: Pyro, monkeypatch: pytest.MonkeyPatch, gone_before: bool) -> None:
    deleted: list[str] = []

    def delete(sessions: object, name: str) -> None:
        deleted.append(name)
        if gone_before:
            raise NotFound("gone")

    monkeypatch.setattr("pyro_mcp.workspaces.lifecycle.delete_workspace", delete)
    with pytest.raises(ZeroDivisionError), pyro.workspace.create():
        raise ZeroDivisionError
    assert deleted == ["ws-0123456789"]


def test_no_seconds_to_live_are_no_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[CreateRequest] = []

    def create(_: object, request: CreateRequest) -> WorkspaceStatus:
        asked.append(request)
        return MADE

    monkeypatch.setattr("pyro_mcp.workspaces.lifecycle.create_workspace", create)
    pyro = Pyro(engine=_Engine())
    pyro.workspace.create(ttl_seconds=0)
    pyro.workspace.create(ttl_seconds=60)
    assert [request.ttl_seconds for request in asked] == [None, 60]


def test_other_doors_are_shown_what_the_handle_is_of(pyro: Pyro) -> None:
    assert operation_named("workspace_create").call(pyro) is MADE


@pytest.mark.parametrize(
    ("call", "fault"),
    [
        (lambda pyro: pyro.workspace.status("No Name"), "workspace 'No Name' is not of the form"),
        (lambda pyro: pyro.workspace.create(labels={"": "x"}), "labels has ''"),
        (lambda pyro: pyro.workspace.create(include_ignored="yes"), "include_ignored 'yes' is neither"),
        (lambda pyro: pyro.workspace.list(state="asleep"), "state 'asleep' is not one of creating, running"),
        (lambda pyro: pyro.workspace.exec_wait("a", "7"), "exec_id '7' is not of the form"),
        (lambda pyro: pyro.workspace.file.edit("a", "b", []), "edits is not a list of edits"),
        (lambda pyro: pyro.workspace.file.read("a", "b", start_line=0), "start_line is 0"),
        (lambda pyro: pyro.workspace.fork("a", count=0), "count is 0"),
    ],
)
def test_bad_input_is_refused_before_the_engine_hears_of_it(
    pyro: Pyro, call: Callable[[Pyro], object], fault: str
) -> None:
    with pytest.raises(InvalidRequest, match=fault) as refused:
        call(pyro)
    assert refused.value.hint
