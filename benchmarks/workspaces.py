"""Workspaces, through the SDK: made, worked in, rolled back, forked, and compared with what they were."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.figures import Book, Laps, elapsed
from pyro_mcp import Pyro
from pyro_mcp.host.paths import Paths
from pyro_mcp.workspaces.diff.baseline import diff_workspace
from pyro_mcp.workspaces.engine import Engine

_AT_ONCE = 10
_CHANGES = 10
_TREES = (10, 50_000)
_CHANGE = "for i in 0 1 2 3 4; do echo changed >> d0/f$i; echo new > d0/n$i; done"


def measure(book: Book, _: Paths) -> None:
    """Note everything about workspaces."""
    pyro = Pyro()
    with pyro.workspace.create() as ws:  # templates are there from now on
        ws.exec("true")
    book.group = "a workspace"
    laps = Laps()
    for _round in range(book.runs):
        _life(laps, pyro)
    laps.into(book)
    _ten(book, pyro)
    for files in _TREES:
        _diffs(book, pyro, files)


def _life(laps: Laps, pyro: Pyro) -> None:
    with laps.lap("create, and the first command answered"):
        with laps.lap("create"):
            ws = pyro.workspace.create()
        with laps.lap("its first command (true)"):
            ws.exec("true")
    try:
        for _ in range(3):
            over = [0.0]
            took = elapsed(lambda over=over: over.append(ws.exec(["true"]).duration_ms))  # type: ignore[misc]
            laps.note("a later command (true)", took)
            laps.note("a command's overhead over its own time", took - sum(over))
        ws.exec("head -c 1000000 /dev/urandom > file")
        with laps.lap("snapshot create"):
            ws.snapshot.create("one")
        with laps.lap("reset to the baseline"):
            ws.reset()
        with laps.lap("reset to a snapshot"):
            ws.reset("one")
        with laps.lap("stop"):
            ws.stop()
        for what, look in (("status", ws.status), ("logs", ws.logs), ("list", pyro.workspace.list)):
            with laps.lap(f"{what}, while it is stopped"):
                look()
        assert ws.status().state == "stopped"
        with laps.lap("start"):
            ws.start()
        with laps.lap("fork, one, from now"):
            (fork,) = ws.fork()
        assert fork.workspace is not None, fork.error
        pyro.workspace.delete(fork.workspace.workspace_id)
    finally:
        with laps.lap("delete"):
            ws.delete()


def _ten(book: Book, pyro: Pyro) -> None:
    took = []
    for _ in range(min(book.runs, 3)):
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            made: list[str] = []

            def create_all(threads: ThreadPoolExecutor = threads, made: list[str] = made) -> None:
                made += threads.map(lambda _: pyro.workspace.create().info.workspace_id, range(_AT_ONCE))

            took.append(elapsed(create_all))
            list(threads.map(pyro.workspace.delete, made))
    book.add(f"{_AT_ONCE} created at once", "ms", took)


def _diffs(book: Book, pyro: Pyro, files: int) -> None:
    """The same change in trees of different sizes: the difference is what a diff or push costs for files nobody touched."""
    began: list[str] = []
    try:
        with _tree(files) as seed:
            took = elapsed(lambda: began.append(pyro.workspace.create(seed_path=str(seed)).info.workspace_id))
            book.add(f"create from {files} files never seen before", "ms", [took])
            again = elapsed(
                lambda: began.append(pyro.workspace.create(seed_path=str(seed)).info.workspace_id)
            )
            book.add(f"create from the same {files} files once more", "ms", [again])
            _pushes(book, pyro, began[1], seed, files)
        pyro.workspace.exec(began[0], _CHANGE)
        engine = Engine()
        _diff(engine, began[0])
        book.times(f"diff, {_CHANGES} changes in {files} files", lambda: _diff(engine, began[0]))
    finally:
        for name in began:
            pyro.workspace.delete(name)


def _pushes(book: Book, pyro: Pyro, name: str, seed: Path, files: int) -> None:
    nothing, changes = [], []
    for number in range(min(book.runs, 3)):
        nothing.append(elapsed(lambda: pyro.workspace.sync.push(name, seed)))
        for changed in range(_CHANGES):
            (seed / "d0" / f"f{changed}").write_text(f"changed for the {number}th time\n")
        changes.append(elapsed(lambda: pyro.workspace.sync.push(name, seed)))
    book.add(f"push of nothing into {files} files", "ms", nothing)
    book.add(f"push of {_CHANGES} changes into {files} files", "ms", changes)


def _diff(engine: Engine, name: str) -> None:
    with engine.sessions.using(name, "diff") as session:
        found = diff_workspace(session, paths=(), format="patch")
    assert len(found.files) == _CHANGES, found


@contextmanager
def _tree(files: int) -> Iterator[Path]:
    with TemporaryDirectory(prefix="pyro-bench-seed-") as name:
        for number in range(files):
            folder = Path(name, f"d{number // 100}")
            if number % 100 == 0:
                folder.mkdir()
            (folder / f"f{number % 100}").write_text(f"file {number}\n" * 20)
        yield Path(name)
