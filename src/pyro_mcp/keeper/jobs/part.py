"""The commands of a workspace, by id, and the verbs that clients use on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from pyro_mcp.keeper.jobs.following import Follower
from pyro_mcp.keeper.jobs.job import FILES, Job, RefusedSince
from pyro_mcp.keeper.lines.switchboard import Client, Open, Switchboard
from pyro_mcp.redaction import Redactor
from pyro_wire import messages
from pyro_wire.faults import Fault
from pyro_wire.messages import Message, MessageError


class Jobs:
    """All of one machine."""

    def __init__(
        self,
        board: Switchboard,
        after: Callable[[float, Callable[[], None]], None],
        redactor: Redactor,
        refused_since: RefusedSince,
    ) -> None:
        self._board = board
        self._after = after
        self._redactor = redactor
        self._refused_since = refused_since
        self._jobs: dict[str, Job] = {}

    @property
    def running(self) -> list[str]:
        """The ids of those that run, in the order in which they were begun."""
        return [name for name, job in self._jobs.items() if job.result is None]

    @property
    def busy(self) -> bool:
        return bool(self.running)

    def verbs(self) -> Mapping[str, Open]:
        return {
            "keeper.exec": self.start,
            "keeper.follow": self.follow,
            "keeper.signal": self.signal,
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
            job = Job(directory, self._redactor, self._refused_since)
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

    def _found(self, client: Client, stream: int, message: Message) -> Job | None:
        job = self._jobs.get(str(message.get("exec_id")))
        if job is None:
            client.answer(stream, Fault("not_found", "this machine runs no such command"))
        return job

    def _attach(self, job: Job, client: Client, stream: int, message: Message) -> None:
        wanted = message.get("follow") is True
        offsets = dict.fromkeys(FILES, 0) if wanted else dict.fromkeys((), 0)
        follower = Follower(job, client, stream, offsets)
        follower.pump()
        wait_ms = message.get("yield_ms")
        if isinstance(wait_ms, int) and wait_ms >= 0:
            self._after(wait_ms / 1000, follower.leave_running)
