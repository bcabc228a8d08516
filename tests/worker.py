"""A client to be killed: works in one workspace without end and says what it was told is done.

Run as `python -m tests.worker WORKSPACE WORK`.

Each line it prints is one JSON list. `["wrote", n]` comes after the command that appended line n to the workspace's file was
answered; everything else is said before (`…ing`) and after (`…ed`) the operation.
"""

import json
import sys
from collections.abc import Callable, Iterator

from pyro_mcp import Pyro, PyroError
from pyro_mcp.operations.workspace import WorkspaceOperations


def say(*words: object) -> None:
    print(json.dumps(words), flush=True)


def write(workspaces: WorkspaceOperations, name: str, number: int) -> None:
    """Append a line, and say so once that is certain."""
    result = workspaces.exec(name, ["sh", "-c", f"echo {number} >> lines"])
    if result.exit_code == 0:
        say("wrote", number)


def exec_(workspaces: WorkspaceOperations, name: str) -> Iterator[None]:
    for number in range(1_000_000):
        write(workspaces, name, number)
        yield


def snapshot(workspaces: WorkspaceOperations, name: str) -> Iterator[None]:
    for number in range(1_000_000):
        write(workspaces, name, number)
        workspaces.snapshot.create(name, f"s{number}")
        say("snapped", f"s{number}", number)
        yield


def reset(workspaces: WorkspaceOperations, name: str) -> Iterator[None]:
    for number in range(1_000_000):
        write(workspaces, name, number)
        say("resetting")
        workspaces.reset(name)
        say("reset")
        yield


def fork(workspaces: WorkspaceOperations, name: str) -> Iterator[None]:
    for number in range(1_000_000):
        write(workspaces, name, number)
        (made,) = workspaces.fork(name, names=[f"fork-{number}"])
        if made.workspace is None:
            say("failed", made.error)
            yield
            continue
        say("forked", f"fork-{number}", number)
        say("deleting", f"fork-{number}")
        workspaces.delete(f"fork-{number}")
        say("deleted", f"fork-{number}")
        yield


def create(workspaces: WorkspaceOperations, name: str) -> Iterator[None]:
    for number in range(1_000_000):
        workspaces.create(name=f"new-{number}")
        say("created", f"new-{number}")
        say("deleting", f"new-{number}")
        workspaces.delete(f"new-{number}")
        say("deleted", f"new-{number}")
        yield


WORKS: dict[str, Callable[[WorkspaceOperations, str], Iterator[None]]] = {
    "exec": exec_,
    "snapshot": snapshot,
    "reset": reset,
    "fork": fork,
    "create": create,
}


def main() -> None:
    """Work until killed, or until something is wrong: then say what, and end."""
    workspaces = Pyro().workspace
    workspaces.list()
    say("ready")
    try:
        for _ in WORKS[sys.argv[2]](workspaces, sys.argv[1]):
            pass
    except PyroError as error:
        say("error", error.code, error.brief)


if __name__ == "__main__":
    main()
