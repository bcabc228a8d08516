"""The keeper's event loop."""

import socket

from pyro_mcp.keeper.clocks import IdleClock
from pyro_mcp.keeper.lines.loop import READ, Loop


def test_timers_are_called_in_order() -> None:
    loop, called = Loop(), []
    loop.after(0.02, loop.stop)
    loop.after(0.01, lambda: called.append("later"))
    loop.after(0.0, lambda: called.append("first"))
    loop.run()
    assert called == ["first", "later"]


def test_a_descriptor_forgotten_in_the_same_round_is_not_called() -> None:
    loop = Loop()
    called: list[int] = []
    one, two = socket.socketpair(), socket.socketpair()

    def ready(possible: int) -> None:
        called.append(possible)
        for near, _ in (one, two):
            loop.forget(near)
        loop.stop()

    for near, far in (one, two):
        far.send(b"x")
        loop.watch(near, READ, ready)
    loop.run()
    assert len(called) == 1
    for end in (*one, *two):
        end.close()


def test_an_idle_machine_is_noticed_and_a_busy_one_is_not() -> None:
    loop, looks = Loop(), iter([True, True, False])
    IdleClock(loop, 0, lambda: next(looks, False), loop.stop)
    loop.run()
    assert not list(looks), "it was asked until it was no longer busy"
