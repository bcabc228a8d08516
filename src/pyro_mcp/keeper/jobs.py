"""Commands of a workspace: they outlive the client that started them, and everything they write is kept on the host.

A job's directory holds `stdout`, `stderr` and, once it has ended, `result.json`; a job without one whose keeper is gone has an
unknown outcome. Clients follow a job by reading what is in its files, each at its own pace. Secrets are replaced before
anything is written there.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from pyro_mcp.keeper.switchboard import Client, Open, Switchboard
from pyro_mcp.redaction import Redactor
from pyro_wire import events, messages
from pyro_wire.faults import Fault
from pyro_wire.messages import Message, MessageError

_BLOCK = 64 * 1024
_FILES = {1: "stdout", 2: "stderr"}
# A command that writes without end must not fill the host's disk: what comes after is counted and dropped.
KEPT_BYTES = 1 << 30


class Job:
    """One command, from its start to long after its end."""

    def __init__(self, directory: Path, redactor: Redactor) -> None:
        self._directory = directory
        self._redactors = {number: redactor.fresh() for number in _FILES}
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        self._files = {number: os.open(directory / name, flags, 0o600) for number, name in _FILES.items()}
        self.sizes = dict.fromkeys(_FILES, 0)
        self._dropped = dict.fromkeys(_FILES, 0)
        self._followers: list[Follower] = []
        self._board: Switchboard | None = None
        self._stream = 0
        self.result: Message | Fault | None = None

    def begin(self, board: Switchboard, request: Message) -> Fault | None:
        """Start the command; a Fault when it cannot even be asked for."""
        stream = board.ask_agent(request, self._from_agent)
        if isinstance(stream, Fault):
            self._end(stream)
            return stream
        self._board, self._stream = board, stream
        return None

    def follow(self, follower: Follower) -> None:
        self._followers.append(follower)

    def unfollow(self, follower: Follower) -> None:
        if follower in self._followers:
            self._followers.remove(follower)
        self._close_unread()

    def _close_unread(self) -> None:
        """Hold no files of commands that have ended: a workspace sees thousands of them."""
        if self.result is not None and not self._followers:
            for descriptor in self._files.values():
                os.close(descriptor)
            self._files.clear()

    def read(self, channel: int, offset: int, size: int) -> bytes:
        if channel not in self._files:
            self._files[channel] = os.open(self._directory / _FILES[channel], os.O_RDONLY | os.O_CLOEXEC)
        return os.pread(self._files[channel], min(size, self.sizes[channel] - offset), offset)

    def send_input(self, payload: bytes) -> int:
        """Pass input on; returns how much was taken. A command that has ended takes, and loses, everything."""
        if self._board is None or self._stream not in self._board.agent.mux:
            return len(payload)
        return self._board.agent.mux.send(self._stream, 0, payload)

    def end_input(self) -> None:
        if self._board is not None and self._stream in self._board.agent.mux:
            self._board.agent.mux.end(self._stream, 0)

    def signal(self, message: Message) -> None:
        if self._board is not None and self._stream in self._board.agent.mux:
            self._board.agent.mux.control(self._stream, message)
            self._board.agent.update()

    def kill(self) -> None:
        if self._board is not None and self._stream in self._board.agent.mux:
            self._board.agent.mux.cancel(self._stream)
            self._board.agent.update()

    def _from_agent(self, event: events.Event) -> None:
        if isinstance(event, events.Data):
            self._keep(event)
        elif isinstance(event, events.Answered):
            self._sync_then_end(event.message)
        elif isinstance(event, events.Failed):
            self._end(event.fault)
        for follower in list(self._followers):
            if isinstance(event, events.Credited):
                follower.job_has_room()
            else:
                follower.pump()

    def _keep(self, event: events.Data) -> None:
        self._write(event.channel, self._redactors[event.channel].feed(event.payload))
        assert self._board is not None
        self._board.agent.mux.consumed(event.stream, len(event.payload))

    def _write(self, channel: int, output: bytes) -> None:
        room = KEPT_BYTES - self.sizes[channel]
        written = 0
        with suppress(
            OSError
        ):  # the host's disk is full: the command goes on, the answer says that something is missing
            written = os.write(self._files[channel], output[:room]) if output[:room] else 0
        self.sizes[channel] += written
        self._dropped[channel] += len(output) - written

    def _sync_then_end(self, answer: Message) -> None:
        """What a command has written must be as lasting as the answer that it ended: without that, nobody knows."""
        assert self._board is not None

        def synced(event: events.Event) -> None:
            if isinstance(event, events.Answered | events.Failed):
                self._end(answer if isinstance(event, events.Answered) else event.fault)
                for follower in list(self._followers):
                    follower.pump()

        asked = self._board.ask_agent({"verb": "sync"}, synced, own=True)
        if isinstance(asked, Fault):
            self._end(asked)

    def _end(self, result: Message | Fault) -> None:
        for channel, redactor in self._redactors.items():
            self._write(channel, redactor.finish())
        if isinstance(result, Fault):
            result = redacted_fault(result, self._redactors[1])
        dropped = {f"{name}_dropped": self._dropped[number] for number, name in _FILES.items()}
        self.result = {**result, **dropped} if not isinstance(result, Fault) else result
        kept = {"fault": result.to_message()} if isinstance(result, Fault) else dict(self.result.items())  # type: ignore[union-attr]
        with suppress(OSError):  # the host's disk is full: whoever waits is told all the same
            write_whole(self._directory / "result.json", json.dumps(kept).encode())
        self._close_unread()


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
                self._leave({"running": True})
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
            self._leave({"running": True})

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


class Jobs:
    """The jobs of one machine, by id, and the verbs that clients use on them."""

    def __init__(
        self, board: Switchboard, after: Callable[[float, Callable[[], None]], None], redactor: Redactor
    ) -> None:
        self._board = board
        self._after = after
        self._redactor = redactor
        self._jobs: dict[str, Job] = {}

    @property
    def running(self) -> int:
        return sum(job.result is None for job in self._jobs.values())

    @property
    def busy(self) -> bool:
        return self.running > 0

    def verbs(self) -> Mapping[str, Open]:
        return {
            "keeper.exec": self.start,
            "keeper.follow": self.follow,
            "keeper.signal": self.signal,
            "keeper.jobs": self.listed,
        }

    def ended(self, reason: str) -> None:
        """Nothing to do: a job whose stream fails writes its result by itself."""

    def start(self, client: Client, stream: int, message: Message) -> None:
        """`keeper.exec` {exec_id, directory, request, follow, yield_ms}: start a command, and follow it for a while or wholly."""
        try:
            exec_id = messages.text(message, "exec_id")
            directory = Path(messages.text(message, "directory"))
            request = message.get("request")
            if exec_id in self._jobs or not isinstance(request, dict):
                raise MessageError("exec_id is taken, or request is no object")
            job = Job(directory, self._redactor)
        except (MessageError, OSError) as error:
            client.answer(stream, Fault("invalid_request", f"the command cannot be kept: {error}"))
            return
        self._jobs[exec_id] = job
        job.begin(self._board, {**request, "verb": "exec"})
        self._attach(job, client, stream, message)

    def follow(self, client: Client, stream: int, message: Message) -> None:
        """`keeper.follow` {exec_id, follow, offsets, yield_ms}: wait for a command that was started earlier."""
        job = self._found(client, stream, message)
        if job is not None:
            self._attach(job, client, stream, message)

    def signal(self, client: Client, stream: int, message: Message) -> None:
        """`keeper.signal` {exec_id, signal | kill}: interrupt or kill a command."""
        job = self._found(client, stream, message)
        if job is None:
            return
        if message.get("kill") is True:
            job.kill()
        else:
            job.signal({"signal": message.get("signal", "INT")})
        client.answer(stream, {})

    def listed(self, client: Client, stream: int, _: Message) -> None:
        """`keeper.jobs`: which commands run."""
        client.answer(stream, {"running": [name for name, job in self._jobs.items() if job.result is None]})

    def _found(self, client: Client, stream: int, message: Message) -> Job | None:
        job = self._jobs.get(str(message.get("exec_id")))
        if job is None:
            client.answer(stream, Fault("not_found", "this machine runs no such command"))
        return job

    def _attach(self, job: Job, client: Client, stream: int, message: Message) -> None:
        wanted = message.get("follow") is True
        offsets = dict.fromkeys(_FILES, 0) if wanted else dict.fromkeys((), 0)
        follower = Follower(job, client, stream, offsets)
        follower.pump()
        wait_ms = message.get("yield_ms")
        if isinstance(wait_ms, int) and wait_ms >= 0:
            self._after(wait_ms / 1000, follower.leave_running)


def redacted_fault(fault: Fault, redactor: Redactor) -> Fault:
    """Give a fault without secrets: it may tell what the command was."""

    def clean(text: str | None) -> str | None:
        return None if text is None else redactor.text(text)

    return Fault(fault.code, redactor.text(fault.brief), clean(fault.details), clean(fault.hint))


def write_whole(path: Path, content: bytes) -> None:
    """Put a file there whole, or leave what was there."""
    unfinished = path.with_name(f".{path.name}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        while content:
            content = content[os.write(descriptor, content) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    unfinished.replace(path)
