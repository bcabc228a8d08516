"""A client to be killed: works in one workspace without end and says what it was told is done.

Run as `python -m tests.worker WORKSPACE WORK`.

Each line it prints is one JSON list. `["wrote", n]` comes after the command that appended line n to the workspace's file was
answered, `["put", n]` after the operation that made the directory `tree` hold `tree_of(work, n)`; everything else is said
before (`…ing`) and after (`…ed`) the operation.
"""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from pyro_mcp import Edit, Pyro, PyroError
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


def look(workspaces: WorkspaceOperations, name: str) -> Iterator[None]:
    """Compare the newest two snapshots, by machines that only look, and drop the older one."""
    for number in range(1_000_000):
        write(workspaces, name, number)
        workspaces.snapshot.create(name, f"s{number}")
        say("snapped", f"s{number}", number)
        if number:
            found = workspaces.diff(name, from_snapshot=f"s{number - 1}", to_snapshot=f"s{number}")
            say("compared", number, [file.path for file in found.files])
            say("dropping", f"s{number - 1}")
            workspaces.snapshot.delete(name, f"s{number - 1}")
            say("dropped", f"s{number - 1}")
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


def service(workspaces: WorkspaceOperations, name: str) -> Iterator[None]:
    for number in range(1_000_000):
        write(workspaces, name, number)
        which = f"service-{number % 2}"
        say("beginning", which)
        started = workspaces.service.start(
            name,
            which,
            ["flock", f"/tmp/{which}", "sleep", "1000"],
            ready_interval_ms=10,
            published_ports=["0:80"],
        )
        say("began", which, started.published_ports[0].host_port)
        yield
        say("ending", which)
        workspaces.service.stop(name, which)
        say("ended", which)


def shell(workspaces: WorkspaceOperations, name: str) -> Iterator[None]:
    for number in range(1_000_000):
        write(workspaces, name, number)
        shell_id = workspaces.shell.open(name).shell_id
        say("opened", shell_id)
        workspaces.shell.write(name, shell_id, "echo $((6 * 7))")
        workspaces.shell.read(name, shell_id, wait_for_prompt=True)
        yield
        say("closing", shell_id)
        workspaces.shell.close(name, shell_id)
        say("closed", shell_id)


# -- operations that make one tree of another, whole or not at all ----------------------------------------------------------

Tree = dict[str, str]
_LINES = 300
_PLACES = ("first", "middle", "last")


def tree_of(work: str, number: int) -> Tree:
    """What such a work has put below `tree` when it has done its operation `number`."""
    if number < 0:
        return {}
    lines = f"line of {number}\n" * _LINES
    if work == "write":
        return {"one": lines * 30}
    if work == "edit":
        return {"one": ("same\n" * _LINES).join(f"{place} {number}\n" for place in _PLACES)}
    if work == "move":
        return {f"at-{number}/a": "a\n", f"at-{number}/b/c": "c\n"}
    return {"one": lines, "two/three": lines, f"only-{number}": lines}


def write_file(workspaces: WorkspaceOperations, name: str) -> Iterator[None]:
    for number in range(1_000_000):
        workspaces.file.write(name, "tree/one", tree_of("write", number)["one"])
        say("put", number)
        yield


def edit(workspaces: WorkspaceOperations, name: str) -> Iterator[None]:
    workspaces.file.write(name, "tree/one", tree_of("edit", 0)["one"])
    say("put", 0)
    yield
    for number in range(1, 1_000_000):
        edits = [Edit(f"{place} {number - 1}\n", f"{place} {number}\n") for place in _PLACES]
        workspaces.file.edit(name, "tree/one", edits)
        say("put", number)
        yield


def move(workspaces: WorkspaceOperations, name: str) -> Iterator[None]:
    workspaces.patch.apply(name, _patch({}, tree_of("move", 0)))
    say("put", 0)
    yield
    for number in range(1, 1_000_000):
        workspaces.file.remove(name, f"tree/at-{number - 1}", to=f"tree/at-{number}")
        say("put", number)
        yield


def patch(workspaces: WorkspaceOperations, name: str) -> Iterator[None]:
    for number in range(1_000_000):
        workspaces.patch.apply(name, _patch(tree_of("patch", number - 1), tree_of("patch", number)))
        say("put", number)
        yield


def push(workspaces: WorkspaceOperations, name: str) -> Iterator[None]:
    with TemporaryDirectory(prefix="pyro-pushed-") as source:
        for number in range(1_000_000):
            for path in tree_of("push", number - 1):
                Path(source, path).unlink()
            for path, text in tree_of("push", number).items():
                Path(source, path).parent.mkdir(exist_ok=True)
                Path(source, path).write_text(text)
            workspaces.sync.push(name, source, dest="/workspace/tree", delete=True)
            say("put", number)
        yield


def _patch(before: Tree, after: Tree) -> str:
    """All lines of all files out, all new ones in."""
    parts = []
    for path in sorted({*before, *after}):
        old, new = before.get(path, "").splitlines(), after.get(path, "").splitlines()
        if old == new:
            continue
        parts.append(f"--- {f'a/tree/{path}' if old else '/dev/null'}")
        parts.append(f"+++ {f'b/tree/{path}' if new else '/dev/null'}")
        parts.append(f"@@ -{int(bool(old))},{len(old)} +{int(bool(new))},{len(new)} @@")
        parts += [f"-{line}" for line in old] + [f"+{line}" for line in new]
    return "\n".join(parts) + "\n"


WORKS: dict[str, Callable[[WorkspaceOperations, str], Iterator[None]]] = {
    "exec": exec_,
    "snapshot": snapshot,
    "look": look,
    "reset": reset,
    "fork": fork,
    "create": create,
    "service": service,
    "write": write_file,
    "edit": edit,
    "move": move,
    "patch": patch,
    "push": push,
    "shell": shell,
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
