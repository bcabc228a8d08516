"""Wait for a condition, and know when to give up. The one place where pyro sleeps."""

from collections.abc import Callable
from time import monotonic, sleep
from typing import TypeVar

from pyro_mcp.errors import LimitReached

Found = TypeVar("Found")

# The first look again comes at once, for things that take microseconds; a slow thing costs 20 looks a second.
_FIRST_PAUSE = 0.0005
_LONGEST_PAUSE = 0.05


class WaitedTooLong(LimitReached):
    """The condition did not come true in time."""


def _always_possible() -> None:
    pass


def wait_until(
    ready: Callable[[], Found | None],
    *,
    what: str,
    timeout: float | None,
    still_possible: Callable[[], object] = _always_possible,
) -> Found:
    """Call `ready` until it answers something true, and return that.

    `still_possible` is called between tries and raises the real cause (a process died, with its last words) as soon as
    waiting makes no sense. After `timeout` seconds (None: never) raises WaitedTooLong naming `what`.
    """
    deadline = None if timeout is None else monotonic() + timeout
    pause = _FIRST_PAUSE
    while not (found := ready()):
        still_possible()
        left = _LONGEST_PAUSE if deadline is None else deadline - monotonic()
        if left <= 0:
            raise WaitedTooLong(f"waited {timeout:g} s for {what}")
        sleep(min(pause, left))
        pause = min(pause * 1.5, _LONGEST_PAUSE)
    return found
