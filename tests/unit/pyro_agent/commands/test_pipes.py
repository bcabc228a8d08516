"""Pipes tied to a stream: credit decides what is read, and nobody waits for a writer that is dead."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import cast

import pytest

from pyro_agent.base.loop import Loop
from pyro_agent.commands.pipes import InputPipe, OutputPipe
from pyro_agent.requests.request import Request


class Stream:
    """A request as its pipes see it."""

    def __init__(self) -> None:
        self.room = 1 << 20
        self.sent: list[bytes] = []
        self.ended: list[int] = []
        self.taken = 0

    def send(self, channel: int, data: memoryview) -> int:
        self.sent.append(bytes(data))
        self.room -= len(data)
        return len(data)

    def end(self, channel: int) -> None:
        self.ended.append(channel)

    def consumed(self, count: int) -> None:
        self.taken += count

    def guarded(self, action: Callable[[], None]) -> None:
        action()


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    before = os.dup(reading)  # keeps the numbers from being reused while a test closes its ends
    yield reading, writing
    os.close(before)


def turn(loop: Loop, *pipes: OutputPipe) -> None:
    for output in pipes:
        output.on_turn()
    loop.after(0.005, lambda: None)
    loop.step()


def test_output_goes_on_and_its_end_too(pipe: tuple[int, int]) -> None:
    loop, stream = Loop(), Stream()
    output = OutputPipe(loop, pipe[0], cast("Request", stream), 2)
    os.write(pipe[1], b"one")
    turn(loop, output)
    os.write(pipe[1], b"two")
    os.close(pipe[1])
    while not output.finished:
        turn(loop, output)
    assert stream.sent == [b"one", b"two"]
    assert stream.ended == [2]


def test_small_writes_are_gathered_for_a_moment(pipe: tuple[int, int]) -> None:
    loop, stream = Loop(), Stream()
    output = OutputPipe(loop, pipe[0], cast("Request", stream), 1)
    os.write(pipe[1], b"first")
    turn(loop, output)
    for _ in range(100):
        os.write(pipe[1], b"line\n")
    while len(stream.sent) < 2:
        turn(loop, output)
    assert stream.sent == [b"first", b"line\n" * 100]
    output.close()
    os.close(pipe[1])


def test_nothing_is_read_without_room(pipe: tuple[int, int]) -> None:
    loop, stream = Loop(), Stream()
    stream.room = 3
    output = OutputPipe(loop, pipe[0], cast("Request", stream), 1)
    os.write(pipe[1], b"abcdef")
    for _ in range(3):
        turn(loop, output)
    assert stream.sent == [b"abc"]
    stream.room = 10
    while len(stream.sent) < 2:
        turn(loop, output)
    assert stream.sent == [b"abc", b"def"]
    output.close()
    os.close(pipe[1])


def test_what_the_dead_left_behind_is_all_there_is_though_someone_holds_the_pipe(
    pipe: tuple[int, int],
) -> None:
    loop, stream = Loop(), Stream()
    output = OutputPipe(loop, pipe[0], cast("Request", stream), 1)
    os.write(pipe[1], b"last words")
    output.drain()
    assert output.finished
    assert stream.sent == [b"last words"]
    assert stream.ended == [1]
    os.close(pipe[1])


def test_draining_waits_for_room(pipe: tuple[int, int]) -> None:
    loop, stream = Loop(), Stream()
    stream.room = 4
    output = OutputPipe(loop, pipe[0], cast("Request", stream), 1)
    os.write(pipe[1], b"last words")
    output.drain()
    assert not output.finished
    stream.room = 100
    output.drain()
    assert b"".join(stream.sent) == b"last words"
    assert output.finished
    os.close(pipe[1])


def test_input_is_written_as_it_is_taken_and_credited_then(pipe: tuple[int, int]) -> None:
    loop, stream = Loop(), Stream()
    stdin = InputPipe(loop, pipe[1], cast("Request", stream))
    data = os.urandom(200_000)
    stdin.write(data[:150_000])
    stdin.write(data[150_000:])
    stdin.end()
    assert 0 < stream.taken < len(data)
    got = bytearray()
    while len(got) < len(data):
        got += os.read(pipe[0], 65536)
        loop.after(0.005, lambda: None)
        loop.step()
    assert bytes(got) == data
    assert stream.taken == len(data)
    assert os.read(pipe[0], 1) == b""
    os.close(pipe[0])


def test_a_command_that_reads_no_more_swallows_its_input(pipe: tuple[int, int]) -> None:
    loop, stream = Loop(), Stream()
    stdin = InputPipe(loop, pipe[1], cast("Request", stream))
    stdin.write(bytes(100_000))
    os.close(pipe[0])
    stdin.close()
    stdin.write(b"more")
    stdin.end()
    assert stream.taken == 100_004
