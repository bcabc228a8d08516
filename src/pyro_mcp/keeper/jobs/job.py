"""A command of a workspace: it outlives the client that started it, and everything it writes is kept on the host.

Its directory holds `stdout`, `stderr` and, once it has ended, `result.json`; one without that whose keeper is gone has an
unknown outcome. Secrets are replaced before anything is written there.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from pyro_mcp.guest.faults import redacted_fault
from pyro_mcp.host.writing import write_whole
from pyro_mcp.keeper.lines.switchboard import Switchboard
from pyro_mcp.redaction import Redactor
from pyro_wire import events
from pyro_wire.faults import Fault
from pyro_wire.messages import Message

# The channels of its output, and where each is kept.
FILES = {1: "stdout", 2: "stderr"}
# A command that writes without end must not fill the host's disk: what comes after is counted and dropped.
KEPT_BYTES = 1 << 30

# What the machine was refused after a moment of time.monotonic().
RefusedSince = Callable[[float], Sequence[Message]]


# What a guest may say of a command's end. All else in a result is the keeper's own word, which no guest puts there.
_TOLD_BY_GUEST = (
    "exit_code",
    "signal_number",
    "timed_out",
    "killed",
    "oom",
    "left_running",
    "duration_ms",
)


class Listener(Protocol):
    """Somebody who is told a job's output as it comes."""

    def pump(self) -> None:
        """Learn that there is more, or that it has ended."""
        ...

    def job_has_room(self) -> None:
        """Learn that the command takes more input."""
        ...


class Job:
    """One command, from its start to long after its end."""

    def __init__(self, directory: Path, redactor: Redactor, refused_since: RefusedSince) -> None:
        self._directory = directory
        self._redactors = {number: redactor.fresh() for number in FILES}
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        self._files = {number: os.open(directory / name, flags, 0o600) for number, name in FILES.items()}
        self.sizes = dict.fromkeys(FILES, 0)
        self._dropped = dict.fromkeys(FILES, 0)
        self._followers: list[Listener] = []
        self._refused_since = refused_since
        self._began = time.monotonic()
        self._board: Switchboard | None = None
        self._stream = 0
        self.result: Message | Fault | None = None

    @property
    def going_on(self) -> Message:
        """What is answered while it runs: that, and for how long it has."""
        return {"running": True, "duration_ms": round((time.monotonic() - self._began) * 1000)}

    def begin(self, board: Switchboard, request: Message) -> Fault | None:
        """Start the command; a Fault when it cannot even be asked for."""
        stream = board.ask_agent(request, self._from_agent)
        if isinstance(stream, Fault):
            self._end(stream)
            return stream
        self._board, self._stream = board, stream
        return None

    def follow(self, follower: Listener) -> None:
        self._followers.append(follower)

    def unfollow(self, follower: Listener) -> None:
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
            self._files[channel] = os.open(self._directory / FILES[channel], os.O_RDONLY | os.O_CLOEXEC)
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
        kept: Message
        if isinstance(result, Fault):
            self.result = redacted_fault(result, self._redactors[1])
            kept = {"fault": self.result.to_message()}
        else:
            dropped = {f"{name}_dropped": self._dropped[number] for number, name in FILES.items()}
            # Of its own connections and of whatever else ran beside it: nobody knows whose they are.
            refused = list(self._refused_since(self._began))
            told = {name: result[name] for name in _TOLD_BY_GUEST if name in result}
            self.result = kept = {**told, **dropped, "refused": refused}
        with suppress(OSError):  # the host's disk is full: whoever waits is told all the same
            write_whole(self._directory / "result.json", json.dumps(kept).encode())
        self._close_unread()
