"""Build environments for callers that cannot wait: a host that is told of no progress gives up long before a build ends."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Mapping

from pyro_mcp.errors import HostUnfit, PyroError
from pyro_mcp.operations.client import Pyro
from pyro_mcp.operations.declare import Operation
from pyro_mcp.progress import Step, listening

# Below the minute after which hosts give up, and long enough for what only has to be unpacked.
_WAIT_SECONDS = 25.0
# Before anything can be told from how far it is.
_FIRST_GUESS_SECONDS = 60
_LEAST_SECONDS, _MOST_SECONDS = 10, 600


class Build:
    """One environment being built on a thread of its own, which outlives the call that began it."""

    def __init__(self, pyro: Pyro, environment: str) -> None:
        self._pyro = pyro
        self.environment = environment
        self._error: PyroError | None = None
        self._furthest: Step | None = None
        self._thread = threading.Thread(target=self._run, name=f"build {environment}", daemon=True)
        self._thread.start()

    def finished(self, wait_seconds: float) -> bool:
        """Wait so long at most; tell whether it is there. Raises what went wrong."""
        self._thread.join(wait_seconds)
        if self._error is not None:
            raise self._error
        return not self._thread.is_alive()

    def seconds_left(self) -> int:
        """Guess when to ask again."""
        step = self._furthest
        if step is None or not step.total or not step.done:
            return _FIRST_GUESS_SECONDS
        left = step.seconds / step.done * (step.total - step.done)
        return min(max(math.ceil(left / 10) * 10, _LEAST_SECONDS), _MOST_SECONDS)

    def started(self, step: Step) -> None:
        pass

    def changed(self, step: Step) -> None:
        self._furthest = step

    def ended(self, step: Step) -> None:
        pass

    def _run(self) -> None:
        try:
            with listening(self):
                self._pyro.prepare(self.environment)
        except PyroError as error:
            self._error = error


class Builds:
    """The builds of one server."""

    def __init__(self, pyro: Pyro, wait_seconds: float = _WAIT_SECONDS) -> None:
        self._pyro = pyro
        self._wait_seconds = wait_seconds
        self._lock = threading.Lock()
        self._under_way: dict[str, Build] = {}
        self._there: set[str] = set()

    def ready(self, operation: Operation, arguments: Mapping[str, object]) -> None:
        """Have the environment that a call boots. Raises HostUnfit, which says when to ask again, while it is being built."""
        environment = _booted(operation, arguments)
        if environment is None or environment in self._there or not self._missing(environment):
            return
        with self._lock:
            build = self._under_way.get(environment) or Build(self._pyro, environment)
            self._under_way[environment] = build
        began = time.monotonic()
        try:
            finished = build.finished(self._wait_seconds)
        except PyroError:
            self._forget(environment)
            raise
        if not finished:
            raise HostUnfit(
                f"{environment} is not on this computer yet; it is building",
                details=f"{time.monotonic() - began:.0f} s were not enough; the build goes on",
                hint=f"Ask again in {build.seconds_left()} s, with the same arguments.",
            )
        self._forget(environment)

    def _missing(self, environment: str) -> bool:
        """Whether it would have to be built; one that nobody knows is for the call itself to complain about."""
        states = {item.name: item.state for item in self._pyro.environments()}
        self._there |= {name for name, state in states.items() if state == "available"}
        return states.get(environment) == "not_pulled"

    def _forget(self, environment: str) -> None:
        with self._lock:
            self._under_way.pop(environment, None)


def _booted(operation: Operation, arguments: Mapping[str, object]) -> str | None:
    """The environment whose machine a call starts."""
    if operation.effect == "reads":
        return None
    for parameter in operation.parameters:
        if parameter.name == "environment":
            return str(arguments.get("environment", parameter.default))
    return None
