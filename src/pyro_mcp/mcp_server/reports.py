"""The engine's progress as MCP notifications: said on a worker thread, sent by the event loop."""

from time import monotonic
from typing import Self

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.server.session import ServerSession

from pyro_mcp.progress import Step

# Nobody reads faster, and each notification is a line that the host has to parse.
_PAUSE_SECONDS = 0.5
# A host that reads slowly loses the notifications in between, never the answer.
_WAITING_AT_MOST = 32


class Reports:
    """A progress listener whose messages wait here for `forward`; a context manager, for streams want to be closed."""

    def __init__(self) -> None:
        self._send: MemoryObjectSendStream[str]
        self._receive: MemoryObjectReceiveStream[str]
        self._send, self._receive = anyio.create_memory_object_stream[str](_WAITING_AT_MOST)
        self._last = 0.0

    def started(self, step: Step) -> None:
        self._say(step.text)

    def changed(self, step: Step) -> None:
        if monotonic() - self._last >= _PAUSE_SECONDS:
            done = f" {step.done} of {step.total} {step.unit}".rstrip() if step.total else ""
            self._say(f"{step.text}:{done} {step.latest}".rstrip(" :"))

    def ended(self, step: Step) -> None:
        pass

    async def forward(self, session: ServerSession) -> None:
        """Send what is said to the caller, where it asked for progress. The number only has to grow, by the specification."""
        number = 0
        async for message in self._receive:
            number += 1
            await session.report_progress(number, message=message)

    def end(self) -> None:
        """No more is said: `forward` sends what waits and returns."""
        self._send.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._send.close()
        self._receive.close()

    def _say(self, message: str) -> None:
        self._last = monotonic()
        anyio.from_thread.run_sync(self._offer, message)

    def _offer(self, message: str) -> None:
        try:
            self._send.send_nowait(message)
        except (anyio.WouldBlock, anyio.BrokenResourceError, anyio.ClosedResourceError):
            return
