import pytest

from pyro_mcp.errors import GuestFailed
from pyro_mcp.host.waiting import WaitedTooLong, wait_until


def test_answers_what_ready_found() -> None:
    answers = iter([None, "", "found"])
    assert wait_until(lambda: next(answers), what="it", timeout=5) == "found"


def test_gives_up_in_time_and_says_what_it_waited_for() -> None:
    with pytest.raises(WaitedTooLong, match=r"waited 0\.01 s for the moon"):
        wait_until(lambda: False, what="the moon", timeout=0.01)


def test_looks_once_even_without_time() -> None:
    assert wait_until(lambda: True, what="it", timeout=0) is True


def test_the_real_cause_comes_at_once_instead_of_the_timeout() -> None:
    def died() -> None:
        raise GuestFailed("QEMU ended with status 1")

    with pytest.raises(GuestFailed, match="status 1"):
        wait_until(lambda: False, what="the agent", timeout=60, still_possible=died)
