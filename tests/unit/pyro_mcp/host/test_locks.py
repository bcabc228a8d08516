import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest

from pyro_mcp.errors import Conflict
from pyro_mcp.host.locks import exclusive, exclusive_if_free
from pyro_mcp.progress import Step, listening


class Heard:
    def __init__(self) -> None:
        self.texts: list[str] = []

    def started(self, step: Step) -> None:
        self.texts.append(step.text)

    def changed(self, step: Step) -> None:
        pass

    def ended(self, step: Step) -> None:
        pass


def test_a_second_holder_is_kept_out_and_told_why(tmp_path: Path) -> None:
    lock, heard = tmp_path / "deep" / "lock", Heard()
    with (
        exclusive(lock, what="the first"),
        listening(heard),
        pytest.raises(Conflict, match="for the second"),
        exclusive(lock, what="the second", timeout=0.01),
    ):
        pytest.fail("two holders")
    assert heard.texts == ["waiting for the second"]


def test_the_lock_is_free_after_an_error_inside(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), exclusive(tmp_path / "lock", what="it"):
        _ = 1 // 0
    with exclusive(tmp_path / "lock", what="it", timeout=0):
        pass


def test_threads_take_turns(tmp_path: Path) -> None:
    inside, most = 0, 0

    def work() -> None:
        nonlocal inside, most
        for _ in range(20):
            with exclusive(tmp_path / "lock", what="the others"):
                inside += 1
                most = max(most, inside)
                inside -= 1

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_a_killed_holder_lets_go(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib; from pyro_mcp.host.locks import exclusive\n"
        "with exclusive(pathlib.Path(sys.argv[1]), what='it'): print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "lock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(Conflict), exclusive(tmp_path / "lock", what="it", timeout=0):
            pass
        holder.kill()
    with exclusive(tmp_path / "lock", what="it", timeout=0):
        pass


def test_a_lock_that_is_only_tried_tells_whether_it_was_free(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with exclusive_if_free(lock) as first, exclusive_if_free(lock) as second:
        assert (first, second) == (True, False)
    with exclusive(lock, what="it"), exclusive_if_free(lock) as third:
        assert not third
