"""Keep a command's output for an answer: all of it, or as much as the answer has room for."""

import codecs
from collections import deque


class KeptOutput:
    """One stream. With a `limit` in bytes it keeps the head and the tail, for the cause stands first and the verdict last."""

    def __init__(self, limit: int | None = None) -> None:
        self._head_room = None if limit is None else limit // 2
        self._tail_room = 0 if limit is None else limit - limit // 2
        self._head: list[bytes] = []
        self._head_size = 0
        self._tail: deque[bytes] = deque()
        self._tail_size = 0
        self._cut = 0

    @property
    def truncated(self) -> bool:
        """Whether anything was cut."""
        return self._cut > 0

    def add(self, data: bytes) -> None:
        """Take the next bytes of the stream."""
        if self._head_room is not None:
            room = self._head_room - self._head_size
            data, rest = data[:room], data[room:]
            self._add_tail(rest)
        self._head.append(data)
        self._head_size += len(data)

    def text(self) -> str:
        """The stream as text, with a line where something was cut; what is not UTF-8 becomes U+FFFD."""
        head, tail = b"".join(self._head), b"".join(self._tail)
        if not self._cut:
            return (head + tail).decode("utf-8", "replace")
        # A character that the cut went through is left out whole.
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        begun = next((n for n in range(min(3, len(tail))) if tail[n] & 0xC0 != 0x80), 0)
        shown_tail = tail[begun:].decode("utf-8", "replace")
        return f"{decoder.decode(head)}\n[... {self._cut} bytes cut ...]\n{shown_tail}"

    def _add_tail(self, data: bytes) -> None:
        if len(data) > self._tail_room:
            self._cut += self._tail_size + len(data) - self._tail_room
            self._tail = deque([data[len(data) - self._tail_room :]])
            self._tail_size = self._tail_room
            return
        self._tail.append(data)
        self._tail_size += len(data)
        while (excess := self._tail_size - self._tail_room) > 0:
            first = self._tail.popleft()
            dropped = min(excess, len(first))
            if dropped < len(first):
                self._tail.appendleft(first[dropped:])
            self._cut += dropped
            self._tail_size -= dropped
