"""A few runners kept ready; the machine makes them again when it has nothing better to do."""

from __future__ import annotations

import os

from pyro_agent.base.log import say
from pyro_agent.runners.cgroups import Cgroups
from pyro_agent.runners.command import Command
from pyro_agent.runners.runner import Runner, fork_runner
from pyro_wire.faults import FaultError

# Enough for a burst from one client; each costs some 2 MiB of memory and, when made, 50 ms of CPU.
READY = 3


class Pool:
    """Runners waiting for commands."""

    def __init__(self, cgroups: Cgroups) -> None:
        self._cgroups = cgroups
        self._own_namespace = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
        self._ready: list[Runner] = []
        self.attached = False  # runners made from now on enter the workspace's root at once

    @property
    def full(self) -> bool:
        """Tell whether as many are ready as should be."""
        return len(self._ready) >= READY

    def add(self) -> None:
        """Fork one more."""
        self._ready.append(fork_runner(self._cgroups, self._own_namespace, attached=self.attached))

    def start(self, command: Command, env_defaults: dict[str, str]) -> Runner:
        """Hand a command to a runner; one that died while waiting is passed over."""
        while True:
            if not self._ready:
                self._add_or_refuse()
            runner = self._ready.pop(0)
            try:
                runner.run(command, env_defaults)
            except BrokenPipeError:
                say(f"a waiting runner had died: {runner.init}")
                runner.discard()
            else:
                return runner

    def _add_or_refuse(self) -> None:
        try:
            self.add()
        except OSError as error:
            raise FaultError(
                "limit_reached",
                f"the machine cannot start another command: {error}",
                hint="end some of what runs, or give the machine more memory",
            ) from error
