"""Measure and report: `python -m benchmarks [--runs N] [--only GROUP]`."""

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import chat, machines, programs, workspaces
from benchmarks.figures import Book, table, write_json
from benchmarks.homes import warm_home
from pyro_mcp import PyroError
from pyro_mcp.host.paths import Paths
from pyro_mcp.qemu.installed import find_qemu

_PARTS: dict[str, Callable[[Book, Paths], None]] = {
    "machines": machines.measure,
    "programs": programs.measure,
    "workspaces": workspaces.measure,
    "chat": chat.measure,
}
_RESULTS = Path(__file__).with_name("results")


def main() -> int:
    """Run the parts that were asked for; a part that fails is told of, and the others are measured all the same."""
    asked = _arguments()
    book = Book(asked.runs)
    failed = False
    with warm_home() as paths:
        about = _about(paths)
        for name in asked.only or _PARTS:
            try:
                _PARTS[name](book, paths)
            except (PyroError, RuntimeError) as error:
                book.skip(name, str(error).splitlines()[0])
                failed = True
    path = asked.json or _RESULTS / time.strftime("%Y%m%d-%H%M%S.json", time.gmtime())
    write_json(path, about, book.figures)
    print("\n".join(f"{key}: {value}" for key, value in about.items()), end="\n\n")
    print(table(book.figures))
    print(f"\nevery value: {path}")
    return int(failed)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--runs", type=int, default=7, help="how often each thing is measured")
    parser.add_argument("--only", choices=_PARTS, action="append", help="measure this part alone")
    parser.add_argument("--json", type=Path, help="where to write all values")
    return parser.parse_args()


def _about(paths: Paths) -> dict[str, str]:
    cpu = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "cpu": f"{os.cpu_count()} × {cpu[0].partition(': ')[2] if cpu else platform.machine()}",
        "load before": f"{os.getloadavg()[0]:.1f}",
        "kernel": platform.release(),
        "QEMU": find_qemu(paths.cache / "host").version,
        "python": platform.python_version(),
    }


if __name__ == "__main__":
    sys.exit(main())
