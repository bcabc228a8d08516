"""How a service stands when nobody runs it any more: what its keeper left word of, and never more."""

import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from pyro_mcp.models.service import PortMapping, PublishedPort
from pyro_mcp.workspaces.registry.services import ServiceRecord
from pyro_mcp.workspaces.services.state import Live, view
from pyro_mcp.workspaces.session import Sessions

RECORD = ServiceRecord(
    workspace_id="ws",
    name="web",
    run_id="run-1",
    command=("serve",),
    cwd="/workspace",
    started_at=datetime(2026, 1, 1, tzinfo=UTC),
)
PORT = PortMapping("127.0.0.1", 8080, 80)
TOLD = {"address": "127.0.0.1", "host_port": 8080, "guest_port": 80, "service": "web"}


def _sessions(directory: Path) -> Sessions:
    return cast("Sessions", SimpleNamespace(directories=SimpleNamespace(of=lambda _: directory)))


def _left(directory: Path, content: str) -> None:
    place = directory / "services" / "run-1"
    place.mkdir(parents=True)
    (place / "state.json").write_text(content)


def test_who_runs_it_is_believed(tmp_path: Path) -> None:
    _left(tmp_path, json.dumps({"state": "starting"}))
    live = Live(True, {"run-1": {"state": "running", "log_bytes": 7, "ready_at": 0}}, ())
    found = view(_sessions(tmp_path), RECORD, [], live)
    assert (found.state, found.log_bytes, found.ready_at) == ("running", 7, datetime(1970, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("state", ["starting", "running"])
@pytest.mark.parametrize("live", [Live(), Live(True, {"run-2": {"state": "running"}}, ())])
def test_what_ran_in_a_machine_that_is_gone_does_not_run(tmp_path: Path, state: str, live: Live) -> None:
    _left(tmp_path, json.dumps({"state": state, "reason": None}))
    found = view(_sessions(tmp_path), RECORD, [], live)
    assert found.state == "stopped"
    assert "its machine ended without a word" in str(found.reason)


def test_how_it_ended_stays_known(tmp_path: Path) -> None:
    _left(tmp_path, json.dumps({"state": "exited", "reason": "exit status 3", "exit_code": 3}))
    found = view(_sessions(tmp_path), RECORD, [], Live())
    assert (found.state, found.reason, found.exit_code) == ("exited", "exit status 3", 3)


@pytest.mark.parametrize("content", ["", "{", '{"state": "flying"}'])
def test_a_word_that_is_damaged_claims_nothing(tmp_path: Path, content: str) -> None:
    _left(tmp_path, content)
    assert view(_sessions(tmp_path), RECORD, [], Live()).state == "stopped"


def test_one_whose_starter_was_killed_never_ran(tmp_path: Path) -> None:
    found = view(_sessions(tmp_path), RECORD, [], Live(True))
    assert (found.state, found.reason) == (
        "stopped",
        "it was never started: whoever was at it was killed",
    )


@pytest.mark.parametrize(
    ("live", "state", "reason"),
    [
        (Live(True, {}, ({**TOLD, "closed": None},)), "open", None),
        (Live(True, {}, ({**TOLD, "closed": "in use"},)), "closed", "in use"),
        (Live(True, {}, ()), "closed", "another workspace has it"),
        (Live(), "closed", "the workspace has no machine now"),
    ],
)
def test_a_port_is_open_when_its_keeper_says_so(
    tmp_path: Path, live: Live, state: str, reason: str | None
) -> None:
    (port,) = view(_sessions(tmp_path), RECORD, [PORT], live).published_ports
    assert port == PublishedPort(
        address="127.0.0.1",
        host_port=8080,
        guest_port=80,
        state=state,  # type: ignore[arg-type]
        reason=reason,
    )


def test_one_that_failed_has_no_ports(tmp_path: Path) -> None:
    _left(tmp_path, json.dumps({"state": "failed", "reason": "it ended"}))
    assert view(_sessions(tmp_path), RECORD, [PORT], Live(True)).published_ports == ()
