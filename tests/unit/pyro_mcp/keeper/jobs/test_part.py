"""Commands that outlive the client that started them."""

import json
import os
from pathlib import Path

import pytest
from tests.remains import links_of
from tests.unit.pyro_mcp.keeper.conftest import SECRETS, Kept

from pyro_mcp.errors import NotFound, OutcomeUnknown
from pyro_mcp.guest.channel import Channel
from pyro_mcp.host.waiting import wait_until
from pyro_wire.messages import Message
from pyro_wire.mux import WINDOW


def start(kept: Kept, directory: Path, *argv: str, **more: object) -> Message:
    """Start a command under the id `job`."""
    request = {"argv": list(argv)}
    with Channel(kept.path) as channel:
        return channel.ask(
            {"verb": "keeper.exec", "exec_id": "job", "directory": str(directory), "request": request, **more}
        )


def test_output_and_result_are_kept_on_the_host(kept: Kept, tmp_path: Path) -> None:
    answer = start(kept, tmp_path / "out", "say")
    assert answer["exit_code"] == 0
    assert (tmp_path / "out" / "stdout").read_bytes() == b"said"
    assert json.loads((tmp_path / "out" / "result.json").read_bytes()) == answer


def test_a_follower_is_told_the_output(kept: Kept, tmp_path: Path) -> None:
    got = bytearray()
    request = {"argv": ["say"]}
    message = {"verb": "keeper.exec", "exec_id": "job", "directory": str(tmp_path), "request": request}
    with Channel(kept.path) as channel:
        channel.ask({**message, "follow": True}, on_data=lambda _, data: got.extend(data))
    assert got == b"said"


def test_a_command_that_takes_longer_is_left_running_and_killed_later(kept: Kept, tmp_path: Path) -> None:
    going_on = start(kept, tmp_path / "out", "hang", yield_ms=30)
    assert going_on["running"] is True
    assert 30 <= int(str(going_on["duration_ms"])) < 5000
    with Channel(kept.path) as channel:
        assert kept.jobs.running == ["job"]
        channel.ask({"verb": "keeper.signal", "exec_id": "job", "signal": "INT"})
        channel.ask({"verb": "keeper.signal", "exec_id": "job", "kill": True})
        answer = channel.ask({"verb": "keeper.follow", "exec_id": "job"})
    assert answer["killed"] is True
    assert kept.agent.controls == [{"signal": "INT"}]
    wait_until(lambda: (tmp_path / "out" / "result.json").exists(), what="the result", timeout=5)


def test_what_was_refused_while_a_command_ran_is_in_its_result(kept: Kept, tmp_path: Path) -> None:
    kept.refused.append({"outcome": "refused", "host": "pypi.org", "reason": "it has no network"})
    answer = start(kept, tmp_path / "out", "say")
    assert answer["refused"] == kept.refused
    assert json.loads((tmp_path / "out" / "result.json").read_bytes()) == answer


def test_input_reaches_the_command(kept: Kept, tmp_path: Path) -> None:
    message = {
        "verb": "keeper.exec",
        "exec_id": "job",
        "directory": str(tmp_path),
        "request": {"argv": ["rev"]},
    }
    with Channel(kept.path) as channel:
        assert channel.ask(message, body=b"abc")["duration_ms"] == 3
    assert (tmp_path / "stdout").read_bytes() == b"cba"


def test_more_input_than_is_ever_under_way_reaches_the_command(kept: Kept, tmp_path: Path) -> None:
    """A client whose window is used up waits to be told that the command took more."""
    message = {
        "verb": "keeper.exec",
        "exec_id": "job",
        "directory": str(tmp_path),
        "request": {"argv": ["rev"]},
    }
    with Channel(kept.path) as channel:
        assert channel.ask(message, body=bytes(5 * WINDOW), timeout=10)["duration_ms"] == 5 * WINDOW


def test_an_unknown_command_is_not_found(kept: Kept) -> None:
    with Channel(kept.path) as channel, pytest.raises(NotFound):
        channel.ask({"verb": "keeper.follow", "exec_id": "nobody"})


def test_a_secret_is_neither_kept_nor_told(kept: Kept, tmp_path: Path) -> None:
    got = bytearray()
    request = {"argv": ["tell"]}
    message = {"verb": "keeper.exec", "exec_id": "job", "directory": str(tmp_path), "request": request}
    with Channel(kept.path) as channel:
        channel.ask({**message, "follow": True}, on_data=lambda _, data: got.extend(data))
    assert (tmp_path / "stdout").read_bytes() == b"the token is [redacted:TOKEN] - half of it: t0ken-of"
    assert (tmp_path / "stderr").read_bytes() == b"[redacted:TOKEN]"
    assert SECRETS["TOKEN"] not in got


def test_an_error_tells_no_secret(kept: Kept, tmp_path: Path) -> None:
    with pytest.raises(NotFound) as refused:
        start(kept, tmp_path / "out", "fail")
    assert refused.value.details == "[redacted:TOKEN]"
    assert SECRETS["TOKEN"] not in (tmp_path / "out" / "result.json").read_bytes()


@pytest.mark.parametrize("when", ["while it runs", "before its files are on the disk"])
def test_a_command_whose_machine_dies_has_an_unknown_outcome(kept: Kept, tmp_path: Path, when: str) -> None:
    kept.agent.dies_at_sync = when != "while it runs"
    with pytest.raises(OutcomeUnknown):
        start(kept, tmp_path / "out", "say" if kept.agent.dies_at_sync else "die")
    assert json.loads((tmp_path / "out" / "result.json").read_bytes())["fault"]["code"] == "outcome_unknown"


def test_a_result_that_cannot_be_kept_is_told_all_the_same(kept: Kept, tmp_path: Path) -> None:
    (tmp_path / ".result.json").mkdir()
    assert start(kept, tmp_path, "say")["exit_code"] == 0


def test_no_files_of_commands_that_have_ended_are_held(kept: Kept, tmp_path: Path) -> None:
    start(kept, tmp_path / "out", "say")
    with Channel(kept.path) as channel:  # and what they wrote can be followed again
        got = bytearray()
        again = {"verb": "keeper.follow", "exec_id": "job", "follow": True}
        assert channel.ask(again, on_data=lambda _, data: got.extend(data))["exit_code"] == 0
    assert got == b"said"
    assert not [held for held in links_of(os.getpid()) if held.startswith(str(tmp_path / "out"))]
