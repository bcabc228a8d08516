import select

from pyro_mcp.host.interruption import Interruption, current_interruption, interruptible


def _readable(interruption: Interruption) -> bool:
    return bool(select.select([interruption], [], [], 0)[0])


def test_asked_once_it_interrupts_asked_again_it_kills() -> None:
    with interruptible() as interruption:
        assert interruption.take() is None
        interruption.request()
        assert interruption.take() == "interrupt"
        interruption.request()
        assert interruption.take() == "kill"


def test_a_kill_needs_no_asking_twice() -> None:
    with interruptible() as interruption:
        interruption.request(kill=True)
        assert interruption.take() == "kill"


def test_the_descriptor_is_readable_until_the_wish_is_taken() -> None:
    with interruptible() as interruption:
        assert not _readable(interruption)
        interruption.request()
        assert _readable(interruption)
        interruption.take()
        assert not _readable(interruption)


def test_the_asker_learns_whether_anybody_acts_on_it() -> None:
    with interruptible() as interruption:
        assert interruption.request() is False
        with interruption.heeded():
            assert interruption.request() is True
        assert interruption.request() is False


def test_the_call_being_served_finds_its_own() -> None:
    assert current_interruption() is None
    with interruptible() as interruption:
        assert current_interruption() is interruption
    assert current_interruption() is None


def test_leaving_is_no_killing_and_a_killing_stands() -> None:
    with interruptible() as interruption:
        interruption.leave()
        assert select.select([interruption], [], [], 0)[0]
        assert interruption.take() == "leave"
        interruption.request(kill=True)
        interruption.leave()
        assert interruption.take() == "kill"
