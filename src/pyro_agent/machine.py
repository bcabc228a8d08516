"""The agent as a whole: what it holds, which verb answers what, and how streams reach their requests."""

from __future__ import annotations

import os
from collections.abc import Mapping

from pyro_agent.apply import ApplyTree
from pyro_agent.attach import Attach, Prepare, Rehearse
from pyro_agent.command import Command
from pyro_agent.connect import Connect
from pyro_agent.delegated import Work
from pyro_agent.disk import Detach, Freeze, Ping, Settle, Sync, Thaw
from pyro_agent.exec import Exec
from pyro_agent.files import FileRead, FileStat
from pyro_agent.helper import DiskHelper
from pyro_agent.jobs import JOBS
from pyro_agent.line import Line
from pyro_agent.log import say
from pyro_agent.loop import Loop, Timer
from pyro_agent.names import Names
from pyro_agent.outward import Outward
from pyro_agent.pool import Pool
from pyro_agent.pty import Pty
from pyro_agent.redirect import Redirect
from pyro_agent.requests import Request
from pyro_agent.runner import Runner
from pyro_agent.search import SearchTree
from pyro_agent.secrets import PutSecret
from pyro_agent.strays import Strays
from pyro_agent.workers import Workers
from pyro_wire import events, messages
from pyro_wire.faults import Fault
from pyro_wire.messages import Message, MessageError

# One file per verb group. Of a plain `Work` all is in the job.
VERBS: Mapping[str, type[Request]] = {
    "prepare": Prepare,
    "rehearse": Rehearse,
    "settle": Settle,
    "attach": Attach,
    "exec": Exec,
    "connect": Connect,
    "pty": Pty,
    "ping": Ping,
    "sync": Sync,
    "freeze": Freeze,
    "thaw": Thaw,
    "detach": Detach,
    "secret.put": PutSecret,
    "file.stat": FileStat,
    "file.read": FileRead,
    "tree.list": Work,
    "tree.manifest": Work,
    "tree.read": Work,
    "tree.search": SearchTree,
    "tree.changes": Work,
    "tree.apply": ApplyTree,
}
# A client that runs one command after the other finds the agent busy with the next runner otherwise. While commands
# run, a new runner would take its 50 ms from them: only after a longer quiet.
_REST_S = 0.05
_LONG_REST_S = 0.25


class Machine:
    """What all requests share."""

    def __init__(self, loop: Loop, pool: Pool, helper: DiskHelper) -> None:
        self.loop = loop
        self.helper = helper
        self.workers = Workers(loop, JOBS)
        self.root: int | None = None  # a descriptor of the workspace's root, once attached
        self.disk = False
        self.prepared = False  # frozen with an empty disk: `attach` still has to come
        self.commands = 0
        self._pool = pool
        self._env_defaults: dict[str, str] = {}
        self._requests: dict[int, Request] = {}
        self._dying: dict[int, Runner] = {}
        self._line: Line | None = None
        self._rest: Timer | None = None
        self._outward = Outward()

    def catch_connections(self) -> None:
        """Listen for what the guest's programs want of the world outside; the host is asked about each."""
        names = Names(self.loop, self._outward)
        Redirect(self.loop, self._outward, names.placeholders.name_of)
        Strays(self.loop, self._outward)

    def serve(self, port: int, facts: Message) -> None:
        """Answer the host for as long as the machine lives."""
        self._line = Line(self.loop, port, facts, self._dispatch)
        self._outward.connect(self._line)
        while True:
            self.loop.step()
            for request in [each for each in self._requests.values() if not each.resting]:
                request.guarded(request.on_turn)
                if not request.open:
                    self._requests.pop(request.stream, None)
            self._outward.on_turn()
            self._line.settle()

    # -- for requests -------------------------------------------------------------------------------------------

    def attached(self, root: int, *, disk: bool, env_defaults: dict[str, str]) -> None:
        """Remember the workspace's root: from now on commands can run."""
        self.root, self.disk, self._env_defaults = root, disk, env_defaults
        self._pool.attached = True

    def start_command(self, command: Command) -> Runner:
        """Start a command; pair it with `bury`."""
        runner = self._pool.start(command, self._env_defaults)
        self.commands += 1
        self._replenish_later()
        return runner

    def bury(self, runner: Runner, *, dead: bool, over: bool) -> None:
        """Take a runner back whose pipes are closed. Unless it is `over`, something of it lives and is killed."""
        self.commands -= 1
        if dead:
            self._collect(runner)
        else:
            if not over:
                runner.cgroup.kill()
            self._dying[runner.init] = runner
            self.loop.watch(runner.pidfd, 1, lambda _: self._collect(runner))
        self._replenish_later()

    @property
    def settled(self) -> bool:
        """Tell whether no command runs or dies, and as many runners wait as should."""
        return not self.commands and not self._dying and self._pool.full

    # -- inside -------------------------------------------------------------------------------------------------

    def _collect(self, runner: Runner) -> None:
        self._dying.pop(runner.init, None)
        self.loop.forget(runner.pidfd)
        os.close(runner.pidfd)
        os.waitpid(runner.init, 0)
        runner.cgroup.remove()

    def _replenish_later(self) -> None:
        """Make runners again once the machine has had a rest."""
        if self._rest is not None:
            self._rest.cancel()
        self._rest = self.loop.after(_LONG_REST_S if self.commands else _REST_S, self._replenish)

    def _replenish(self) -> None:
        """Add one runner per turn, so that a request never waits for more than one fork."""
        self._rest = None
        if self._pool.full:
            return
        try:
            self._pool.add()
        except OSError as error:
            say(f"no new runner: {error}")
            return
        self._rest = self.loop.after(0, self._replenish)

    def _dispatch(self, happened: list[events.Event]) -> None:
        for event in happened:
            if isinstance(event, events.Greeted):
                self._abandon_all()
            elif isinstance(event, events.Opened):
                self._open(event)
            elif event.stream % 2 == 0:  # a responder's own streams have even numbers
                self._outward.dispatch(event)
            else:
                self._pass_on(event)

    def _abandon_all(self) -> None:
        """A new host is there: nobody waits for what the old one asked."""
        for request in self._requests.values():
            request.close()
        self._requests.clear()
        self._outward.abandon()

    def _open(self, event: events.Opened) -> None:
        assert self._line is not None
        mux = self._line.mux
        try:
            verb = messages.text(event.message, "verb")
        except MessageError as error:
            mux.fail(event.stream, Fault("invalid_request", str(error)))
            return
        kind = VERBS.get(verb)
        if kind is None:
            mux.fail(event.stream, Fault("invalid_request", f"the agent knows no verb {verb[:40]!r}"))
            return
        request = kind(self, mux, event.stream)
        self._requests[event.stream] = request
        request.guarded(lambda: request.start(event.message))

    def _pass_on(self, event: events.Event) -> None:
        assert not isinstance(event, events.Greeted)
        request = self._requests.get(event.stream)
        if request is None or not request.open:
            return
        if isinstance(event, events.Data):
            payload = event.payload
            request.guarded(lambda: request.on_data(payload))
        elif isinstance(event, events.Ended):
            request.guarded(request.on_ended)
        elif isinstance(event, events.Control):
            message = event.message
            request.guarded(lambda: request.on_control(message))
        elif isinstance(event, events.Cancelled):
            request.guarded(request.on_cancel)
