"""An agent that gives one answer."""

import os
from typing import cast

from pyro_mcp.guest.channel import OnData, Source
from pyro_mcp.workspaces.session import Session
from pyro_wire.messages import Message


class Agent:
    """Says `data`, then answers `answer`; remembers what it got."""

    def __init__(self, answer: Message, data: bytes = b"") -> None:
        self.answer = answer
        self.data = data
        self.body: bytes | Source | None = None
        self.size = 0

    def ask(
        self, message: Message, *, on_data: OnData | None = None, body: bytes | Source | None = None
    ) -> Message:
        self.body = body
        if body is not None and not isinstance(body, bytes):
            while block := os.read(body.fileno(), 1 << 20):
                self.size += len(block)
        for at in range(0, len(self.data), 7):
            assert on_data is not None
            on_data(1, self.data[at : at + 7])
        return self.answer

    @property
    def session(self) -> Session:
        return cast("Session", self)
