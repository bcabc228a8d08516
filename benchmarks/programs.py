"""Whole processes, measured from outside; and what others do with the same root filesystem in the same run."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.figures import Book
from benchmarks.homes import DEBIAN
from pyro_mcp.environments.store import EnvironmentStore
from pyro_mcp.host.paths import Paths

_PYRO = str(Path(sys.executable).with_name("pyro"))


def measure(book: Book, paths: Paths) -> None:
    """Note how long `pyro` takes, and podman, runsc and bwrap where they are installed."""
    book.group = "whole processes"
    _run([_PYRO, "run", "-q", DEBIAN, "--", "true"])  # the template is there from now on
    book.times("pyro --help", lambda: _run([_PYRO, "--help"]))
    book.times("pyro env list", lambda: _run([_PYRO, "env", "list"]))
    book.times("pyro workspace list", lambda: _run([_PYRO, "workspace", "list"]))
    for words in (["true"], ["git", "--version"], ["python3", "-c", "pass"]):
        command = [_PYRO, "run", "-q", DEBIAN, "--", *words]
        book.times(f"pyro run debian:12 -- {' '.join(words)}", lambda command=command: _run(command))  # type: ignore[misc]
    with TemporaryDirectory(prefix="pyro-bench-root-") as place:
        _peers(book, paths, Path(place))


def _peers(book: Book, paths: Paths, place: Path) -> None:
    """Each with its own kernel interface: a container shares ours, runsc stands between, pyro has a kernel of its own."""
    root = place / "root"
    commands: dict[str, Callable[[Sequence[str]], list[str]]] = {
        "bwrap": lambda words: _bwrap(root, words),
        "podman": lambda words: _podman(root, words),
        "runsc": lambda words: _runsc(place, root, words),
    }
    installed = [name for name in commands if shutil.which(name)]
    if installed:
        image = EnvironmentStore(paths).ensure(DEBIAN).image
        subprocess.run(["unsquashfs", "-quiet", "-no-progress", "-dest", root, image], check=True)
    for name, command in commands.items():
        for words in (["true"], ["git", "--version"]):
            told = f"{name}, the same root: {' '.join(words)}"
            if name not in installed:
                book.skip(told, f"{name} is not installed")
                continue
            argv = command(words)
            try:
                _run(argv)
            except subprocess.CalledProcessError as error:
                book.skip(told, f"does not work here: {_last_line(error.stderr)}")
            else:
                book.times(told, lambda argv=argv: _run(argv))  # type: ignore[misc]


def _bwrap(root: Path, words: Sequence[str]) -> list[str]:
    inside = ["--bind", str(root), "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/run"]
    return ["bwrap", "--unshare-all", "--die-with-parent", *inside, "--", *words]


def _podman(root: Path, words: Sequence[str]) -> list[str]:
    return ["podman", "run", "--rm", "--network", "none", "--rootfs", f"{root}:O", *words]


def _runsc(place: Path, root: Path, words: Sequence[str]) -> list[str]:
    bundle = place / f"bundle-{words[0]}"
    bundle.mkdir(exist_ok=True)
    _run(["runsc", "spec", "--bundle", str(bundle)])
    config = json.loads((bundle / "config.json").read_text())
    config["root"] = {"path": str(root), "readonly": True}
    config["process"].update(args=list(words), terminal=False)
    (bundle / "config.json").write_text(json.dumps(config))
    return [
        "runsc",
        "--network=none",
        "--root",
        str(place / "runsc"),
        "run",
        "--bundle",
        str(bundle),
        "bench",
    ]


def _run(argv: Sequence[str]) -> None:
    subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, check=True)


def _last_line(said: bytes) -> str:
    lines = said.decode(errors="replace").strip().splitlines()
    return lines[-1][:120] if lines else "it says nothing"
