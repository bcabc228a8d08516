"""A keeper is started before anybody can say what it is to hold; where nobody ever does, nothing is left of it."""

import json
import os
from pathlib import Path

import pytest
from tests.unit.pyro_mcp.keeper.plans import a_plan

from pyro_mcp.errors import GuestFailed, HostUnfit
from pyro_mcp.host.waiting import wait_until
from pyro_mcp.keeper import start
from pyro_mcp.keeper.start import StartedKeeper, start_keeper, starting_keeper


def ends(keeper: StartedKeeper) -> int:
    return keeper.process.wait(30)


def test_one_that_is_told_nothing_is_gone_at_the_end_of_the_block() -> None:
    with pytest.raises(ZeroDivisionError), starting_keeper("ws-test") as keeper:
        raise ZeroDivisionError
    assert keeper.process.returncode == -9


def test_one_whose_start_is_broken_off_ends_too(tmp_path: Path) -> None:
    with starting_keeper("ws-test") as keeper:
        keeper._log = tmp_path / "keeper.log"  # as hold() does, which is broken off
        keeper._leash.sendall(b"half a plan")
    assert ends(keeper) == 1
    assert keeper.process.stdout is not None
    keeper.process.stdout.close()


def test_it_ends_by_itself_with_whoever_started_it() -> None:
    keeper = start_keeper("ws-test")
    words = os.dup(keeper._words)
    try:
        keeper._close()
        assert ends(keeper) == 1
        assert b"ended before it told me what to hold" in os.pread(words, 1000, 0)
    finally:
        os.close(words)
        assert keeper.process.stdout is not None
        keeper.process.stdout.close()


def test_its_last_words_are_told_when_it_has_no_log_yet() -> None:
    keeper = start_keeper("ws-test")
    keeper._leash.sendall(b"no plan\n")
    with pytest.raises(GuestFailed, match="ended with status 1") as raised:
        keeper.wait_ready()
    assert "JSONDecodeError" in (raised.value.details or "")
    keeper._close()


def test_it_is_told_that_another_pyro_was_installed_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """A chat host's server lives for days: what it imported may be older than the keeper that it starts."""
    monkeypatch.setattr(start, "_IMPORTED", (1, 1))
    keeper = start_keeper("ws-test")
    keeper._leash.sendall(b"no plan\n")
    with pytest.raises(HostUnfit, match="exchanged") as raised:
        keeper.wait_ready()
    assert "Start this program again" in (raised.value.hint or "")
    keeper._close()


def test_its_command_line_tells_whose_it_is_and_it_inherits_nothing() -> None:
    theirs = os.memfd_create("somebody's")
    os.set_inheritable(theirs, True)
    try:
        with starting_keeper("ws-test") as keeper:
            process = Path("/proc", str(keeper.process.pid))
            words = wait_until((process / "cmdline").read_bytes, what="its command line", timeout=10)
            assert words.split(b"\0")[-2] == b"ws-test"
            opened = {os.readlink(file) for file in (process / "fd").iterdir()}  # noqa: PTH115
            assert not any("somebody's" in name for name in opened)
    finally:
        os.close(theirs)


def test_what_it_fails_at_is_told_though_its_log_goes_with_its_machine(tmp_path: Path) -> None:
    directory = tmp_path / "machine"
    directory.mkdir()
    plan = json.loads(a_plan().to_json())
    plan["directory"], plan["socket"] = str(directory), str(tmp_path / "socket")
    plan["leash"]["ended"] = str(tmp_path / "ended")
    with starting_keeper("ws-test") as keeper:
        keeper._leash.sendall(json.dumps(plan).encode() + b"\n")
        with pytest.raises(GuestFailed, match="keeper failed") as raised:
            keeper.wait_ready()
    assert "FileNotFoundError" in (raised.value.details or "")
    assert "FileNotFoundError" in (tmp_path / "ended").read_text()
