"""The machine as requests know it: its loop, its helpers, its disk once it has one, and the commands that run in it."""

from __future__ import annotations

import os

from pyro_agent.base.log import say
from pyro_agent.base.loop import Loop, Timer
from pyro_agent.runners.command import Command
from pyro_agent.runners.pool import Pool
from pyro_agent.runners.runner import Runner
from pyro_agent.workers.helper import DiskHelper
from pyro_agent.workers.processes import Workers

# A client that runs one command after the other finds the agent busy with the next runner otherwise. While commands
# run, a new runner would take its 50 ms from them: only after a longer quiet.
_REST_S = 0.05
_LONG_REST_S = 0.25
# A machine that is short of memory or processes is left alone for longer.
_SHORTAGE_S = 2.0


class Machine:
    """What all requests share."""

    def __init__(self, loop: Loop, pool: Pool, helper: DiskHelper, workers: Workers) -> None:
        self.loop = loop
        self.helper = helper
        self.workers = workers
        self.root: int | None = None  # a descriptor of the workspace's root, once attached
        self.disk = False
        self.prepared = False  # frozen with an empty disk: `attach` still has to come
        self.commands = 0
        self._pool = pool
        self._env_defaults: dict[str, str] = {}
        self._dying: dict[int, Runner] = {}
        self._rest: Timer | None = None

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
            self._rest = self.loop.after(_SHORTAGE_S, self._replenish)
            return
        self._rest = self.loop.after(0, self._replenish)
