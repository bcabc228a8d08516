"""A client that follows a command by reading what is in its files, at its own pace, and may type into it."""

from __future__ import annotations

from pyro_mcp.keeper.jobs.job import Job
from pyro_mcp.keeper.lines.switchboard import Client
from pyro_wire import events
from pyro_wire.faults import Fault
from pyro_wire.messages import Message

_BLOCK = 64 * 1024


class Follower:
    """A client that is told a job's output as it comes, and its end."""

    def __init__(self, job: Job, client: Client, stream: int, offsets: dict[int, int]) -> None:
        self._job = job
        self._client = client
        self._stream = stream
        self._offsets = offsets
        self._input: list[bytes | None] = []  # None: its end
        client.serving[stream] = self
        job.follow(self)

    def pump(self) -> None:
        """Send what there is and the client has room for; answer when the job has ended and all is sent."""
        complete = all(list(map(self._send, self._offsets)))  # each gets its turn
        if self._job.result is not None and complete:
            self._leave(self._job.result)
        self._client.line.update()

    def job_has_room(self) -> None:
        self._push_input()
        self._client.line.update()  # the client learns that it may send more

    def from_client(self, event: events.Event) -> None:
        if isinstance(event, events.Data):
            self._input.append(event.payload)
            self._push_input()
        elif isinstance(event, events.Ended):
            self._input.append(None)
            self._push_input()
        elif isinstance(event, events.Credited):
            self.pump()
        elif isinstance(event, events.Cancelled):
            self._job.kill()
        elif isinstance(event, events.Control):
            if event.message.get("detach") is True:
                self._leave(self._job.going_on)
            else:
                self._job.signal(event.message)

    def client_has_room(self) -> None:
        self.pump()

    def client_gone(self) -> None:
        """The job goes on: it belongs to the workspace, not to who started it."""
        self._job.unfollow(self)

    def leave_running(self) -> None:
        """Answer that the job still runs, unless it has just been answered."""
        if self._stream in self._client.serving:
            self._leave(self._job.going_on)

    def _leave(self, result: Message | Fault) -> None:
        self._job.unfollow(self)
        self._client.answer(self._stream, result)

    def _send(self, channel: int) -> bool:
        """Whether everything of this channel is sent."""
        mux = self._client.line.mux
        while (left := self._job.sizes[channel] - self._offsets[channel]) > 0:
            room = mux.room(self._stream)
            if not room:
                return False
            data = self._job.read(channel, self._offsets[channel], min(left, room, _BLOCK))
            if not data:
                return True
            self._offsets[channel] += mux.send(self._stream, channel, data)
        return True

    def _push_input(self) -> None:
        while self._input:
            first = self._input[0]
            if first is None:
                self._job.end_input()
            else:
                taken = self._job.send_input(first)
                self._client.line.mux.consumed(self._stream, taken)
                if taken < len(first):
                    self._input[0] = first[taken:]
                    return
            self._input.pop(0)
