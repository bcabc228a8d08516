"""The loop: callbacks when descriptors are ready, deadlines in order, and nothing after it was forgotten."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from pyro_agent.base.loop import READ, WRITE, Loop


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    yield reading, writing
    for descriptor in (reading, writing):
        try:
            os.close(descriptor)
        except OSError:
            continue


def test_a_ready_descriptor_is_called_back_until_it_is_forgotten(pipe: tuple[int, int]) -> None:
    loop = Loop()
    seen: list[int] = []
    os.write(pipe[1], b"x")
    loop.watch(pipe[0], READ, seen.append)
    loop.step()
    loop.forget(pipe[0])
    loop.after(0, lambda: None)
    loop.step()
    assert seen == [READ]


def test_watching_again_changes_what_is_waited_for(pipe: tuple[int, int]) -> None:
    loop = Loop()
    seen: list[int] = []
    loop.watch(pipe[1], 0, seen.append)
    loop.after(0, lambda: None)
    loop.step()
    assert not seen
    loop.watch(pipe[1], WRITE, seen.append)
    loop.step()
    assert seen == [WRITE]


def test_a_callback_may_forget_what_is_ready_in_the_same_turn(pipe: tuple[int, int]) -> None:
    loop = Loop()
    seen: list[int] = []
    os.write(pipe[1], b"x")

    def first(ready: int) -> None:
        seen.append(ready)
        loop.forget(pipe[0])
        loop.forget(pipe[1])

    loop.watch(pipe[0], READ, first)
    loop.watch(pipe[1], WRITE, first)
    loop.step()
    assert len(seen) == 1


def test_forgetting_what_was_never_watched_is_no_error() -> None:
    Loop().forget(999)


def test_deadlines_come_in_order_and_can_be_called_off() -> None:
    loop = Loop()
    seen: list[str] = []
    loop.after(0.002, lambda: seen.append("second"))
    loop.after(0, lambda: seen.append("first"))
    loop.after(0.001, lambda: seen.append("never")).cancel()
    while len(seen) < 2:
        loop.step()
    assert seen == ["first", "second"]
