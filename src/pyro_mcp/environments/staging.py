"""Half-made things, by whoever makes them: each in a directory named after its maker, so that anybody can tell a dead one's.

The name is the record, written in the same instant as the directory; there is no moment at which one exists without the other.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pyro_mcp.environments.sandbox import remove_tree
from pyro_mcp.errors import PyroError
from pyro_mcp.host.processes import ProcessIdentity, identify, is_alive

_NAME = re.compile(r"(\d+)-(\d+)-[0-9a-f]+")


@contextmanager
def staged(area: Path) -> Iterator[Path]:
    """Make a private directory in `area` for the block, and remove what is left of it afterwards."""
    maker = identify(os.getpid())
    assert maker is not None
    area.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory = area / f"{maker.pid}-{maker.started}-{os.urandom(6).hex()}"
    directory.mkdir(mode=0o755)
    try:
        yield directory
    finally:
        remove_tree(directory)


def sweep(area: Path) -> None:
    """Remove what makers left behind who were killed. Cheap when there is nothing: every use of the cache starts with it."""
    try:
        names = os.listdir(area)  # noqa: PTH208 - 20 µs less, and this stands in the path of every run
    except OSError:
        return
    for name in names:
        if _is_dead(name):
            # What cannot be removed now (a read-only cache, a dying builder's last write) is met again next time.
            with suppress(OSError, PyroError):
                remove_tree(area / name)


def _is_dead(name: str) -> bool:
    found = _NAME.fullmatch(name)
    return found is not None and not is_alive(ProcessIdentity(int(found[1]), int(found[2])))
