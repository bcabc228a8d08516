from collections.abc import Mapping
from pathlib import Path

import pytest

from pyro_mcp.models.summary import Connections
from pyro_mcp.workspaces.history import events
from pyro_mcp.workspaces.outputs.store import OutputStore
from pyro_mcp.workspaces.registry import Registry, workspaces
from pyro_mcp.workspaces.registry.makers import this_process
from pyro_mcp.workspaces.registry.workspaces import NewWorkspace
from pyro_mcp.workspaces.summary import commands
from pyro_wire.messages import Message

WS = "ws-aaaaaaaaaa"


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    opened = Registry(tmp_path / "registry.sqlite")
    with opened.changing() as change:
        workspaces.add(change, NewWorkspace(id=WS, environment="e", environment_digest="d"), this_process())
    return opened


@pytest.fixture
def outputs(tmp_path: Path) -> OutputStore:
    return OutputStore(tmp_path / "outputs")


def add(registry: Registry, kind: str, ended: str = "done", **data: events.Json) -> None:
    with registry.changing() as change:
        events.append(change, WS, kind, outcome=ended, duration_ms=1000, data=data)


def ran(registry: Registry, outputs: OutputStore, command: str, said: str, exit_code: int) -> str:
    output_id, directory = outputs.new()
    (directory / "stdout").write_text(said)
    add(registry, "exec", command=command, exec_id=output_id, outcome="finished", exit_code=exit_code)
    return output_id


def history_of(registry: Registry) -> list[events.Event]:
    with registry.reading() as reading:
        record = workspaces.get(reading, WS)
        return commands.since_start(reading, WS, record.created_at)[2]


def nothing_kept(_: str) -> Message | None:
    return None


def test_tests_before_and_after_are_the_first_untouched_and_the_last_run(
    registry: Registry, outputs: OutputStore
) -> None:
    first = ran(registry, outputs, "pytest -q", "1 failed, 1 passed in 0.1s\n", 1)
    ran(registry, outputs, "ls", "a\n", 0)
    add(registry, "file.edit", path="a.py")
    ran(registry, outputs, "pytest -q", "1 failed, 1 passed in 0.1s\n", 1)
    last = ran(registry, outputs, "pytest -q", "2 passed in 0.1s\n", 0)
    found = commands.commands_in(history_of(registry), nothing_kept)
    before, after = commands.tests_of(found, outputs)
    assert before is not None
    assert after is not None
    assert (before.output_id, before.passed, before.failed) == (first, 1, 1)
    assert (after.output_id, after.passed, after.failed) == (last, 2, 0)
    assert [(item.command, item.exit_code) for item in commands.failed_commands(found)] == [
        ("pytest -q", 1)
    ] * 2


def test_after_a_change_nobody_knows_how_the_tests_were_before(
    registry: Registry, outputs: OutputStore
) -> None:
    add(registry, "patch.apply")
    ran(registry, outputs, "pytest", "2 passed in 0.1s\n", 0)
    before, after = commands.tests_of(commands.commands_in(history_of(registry), nothing_kept), outputs)
    assert before is None
    assert after is not None


def test_tests_that_ran_before_the_last_change_say_nothing_of_what_is_there_now(
    registry: Registry, outputs: OutputStore
) -> None:
    ran(registry, outputs, "pytest", "2 passed in 0.1s\n", 0)

    def stale() -> bool:
        found = commands.commands_in(history_of(registry), nothing_kept)
        _, after = commands.tests_of(found, outputs)
        assert after is not None
        return after.changed_since

    assert not stale()
    add(registry, "file.edit", "conflict", path="a.py")  # refused: nothing was changed
    assert not stale()
    add(registry, "file.edit", path="a.py")
    assert stale()
    ran(registry, outputs, "pytest", "2 passed in 0.1s\n", 0)
    assert not stale()


def test_a_reset_begins_anew(registry: Registry, outputs: OutputStore) -> None:
    ran(registry, outputs, "false", "", 1)
    add(registry, "reset", "conflict")
    assert len(history_of(registry)) == 2
    add(registry, "reset")
    assert history_of(registry) == []


@pytest.mark.parametrize(
    ("kept", "outcome", "failed"),
    [
        (None, "running", False),
        ({"exit_code": 3, "duration_ms": 9000}, "finished", True),
        ({"exit_code": 0, "duration_ms": 9000}, "finished", False),
        ({"killed": True, "signal_number": 9, "duration_ms": 1}, "killed", True),
    ],
)
def test_what_was_still_running_is_told_by_its_end(
    registry: Registry, kept: Mapping[str, object] | None, outcome: str, failed: bool
) -> None:
    add(registry, "exec", command=["make", "all tests"], exec_id="out-1", outcome="running", exit_code=None)
    (found,) = commands.commands_in(history_of(registry), lambda _: dict(kept) if kept else None)
    assert (found.words, found.outcome, found.failed) == ("make 'all tests'", outcome, failed)


def test_a_command_that_never_started_is_none(registry: Registry) -> None:
    add(registry, "exec", "guest_failed", command="x")
    assert commands.commands_in(history_of(registry), nothing_kept) == []


def test_connections_are_counted(registry: Registry) -> None:
    add(registry, "network", host="pypi.org", address="198.51.100.7", count=1)  # looked up
    add(registry, "network", host="pypi.org", port=443, count=2)
    add(registry, "network", "policy_denied", host="10.0.0.1", port=22, count=7)
    add(registry, "network", "policy_denied", host="evil.example", count=1)
    add(registry, "network", "failed", host="gone.example", port=80, count=1)
    assert commands.connections_in(history_of(registry)) == Connections(
        allowed=2,
        refused=8,
        failed=1,
        destinations=("10.0.0.1:22", "pypi.org:443", "evil.example", "gone.example:80"),
    )


def test_the_start_is_the_creation_or_the_last_reset_with_its_snapshot(registry: Registry) -> None:
    def start() -> tuple[bool, str | None]:
        with registry.reading() as reading:
            created = workspaces.get(reading, WS).created_at
            at, reset_to, _ = commands.since_start(reading, WS, created)
        return at == created, reset_to

    assert start() == (True, None)
    add(registry, "reset", snapshot="two")
    add(registry, "reset", ended="conflict", snapshot="three")
    assert start() == (False, "two")
