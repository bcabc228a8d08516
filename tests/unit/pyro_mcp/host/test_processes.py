import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pyro_mcp.host.processes import (
    below,
    child,
    end_holders,
    has_ended,
    identify,
    is_alive,
    send_signal,
    spawn,
    stop,
)
from pyro_mcp.host.waiting import wait_until

_SLEEPER = ("sleep", "1000")


def test_a_running_process_is_recognised_and_a_later_one_of_its_number_is_not() -> None:
    own = identify(os.getpid())
    assert own is not None
    assert is_alive(own)
    assert not is_alive(replace(own, started=own.started - 1))


def test_a_process_with_a_wild_name_is_read_right(tmp_path: Path) -> None:
    program = tmp_path / "a) R 1 (b"
    program.symlink_to("/bin/sleep")
    with child((program, "1000")) as process:
        found = wait_until(lambda: identify(process.pid), what="the child", timeout=5)
        assert is_alive(found)


def test_a_dead_child_that_nobody_reaped_is_not_alive() -> None:
    process = spawn(("true",))
    wait_until(lambda: identify(process.pid) is None, what="its end", timeout=5)
    assert process.wait() == 0


def test_a_number_that_nobody_has_is_nobody() -> None:
    with child(_SLEEPER) as process:
        pid = process.pid
    assert identify(pid) is None


def test_a_signal_reaches_the_very_process_only() -> None:
    with child(_SLEEPER) as process:
        found = identify(process.pid)
        assert found is not None
        assert not send_signal(replace(found, started=found.started + 1))
        assert process.poll() is None
        assert send_signal(found, signal.SIGTERM)
        assert process.wait() == -signal.SIGTERM
    assert not send_signal(found)


def test_a_child_ends_with_the_block_also_when_it_raises() -> None:
    with pytest.raises(ZeroDivisionError), child(_SLEEPER) as process:
        _ = 1 // 0
    assert process.returncode == -signal.SIGKILL


def test_a_child_that_ignores_sigterm_is_killed_after_its_grace() -> None:
    process = spawn(
        ("sh", "-c", "trap '' TERM; echo deaf; while :; do read x; done"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"deaf\n"
    assert stop(process, grace=0.05) == -signal.SIGKILL
    for stream in (process.stdin, process.stdout):
        assert stream is not None
        stream.close()


def test_a_child_dies_with_a_killed_parent() -> None:
    program = (
        "from pyro_mcp.host.processes import spawn; import sys\n"
        "print(spawn(('sleep', '1000')).pid, flush=True); sys.stdin.read()"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert identify(pid) is not None
        parent.kill()
    wait_until(lambda: identify(pid) is None, what="the orphan's end", timeout=5)


def test_whoever_holds_a_file_below_a_directory_is_ended_and_nobody_else(tmp_path: Path) -> None:
    owned, lock = tmp_path / "owned" / "log", tmp_path / "owned" / "lock"
    owned.parent.mkdir()
    with (
        owned.open("w") as log,
        lock.open("w") as locked,
        child(_SLEEPER, stdout=log) as holder,
        child(_SLEEPER, stdout=locked) as waiter,
        child(_SLEEPER) as stranger,
    ):
        end_holders(owned.parent, but="lock")
        assert holder.wait() == -signal.SIGKILL
        assert (waiter.poll(), stranger.poll()) == (None, None)


def test_an_end_is_waited_for_no_longer_than_it_takes() -> None:
    with child(("sh", "-c", "read word"), stdin=subprocess.PIPE) as process:
        there = identify(process.pid)
        assert there is not None
        assert not has_ended(there, 0.05)
        assert has_ended(replace(there, started=there.started - 1), 0.0)  # another process of that number
        assert process.stdin is not None
        process.stdin.close()
        assert has_ended(there, 20)
    assert has_ended(there, 0.0)


def test_what_a_process_has_started_is_found() -> None:
    with child(("sh", "-c", "sleep 1000 & sh -c 'sleep 1000 & wait' & wait")) as process:
        found = wait_until(
            lambda: started if len(started := below(process.pid)) == 3 else None, what="them all", timeout=10
        )
    for one in found:
        send_signal(one)
        assert has_ended(one, 10)
    assert below(process.pid) == []
