"""Paths as the host names them, inside the workspace's root: no link in them leads out of it."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from pyro_agent.base import system
from pyro_agent.disk import mounts
from pyro_wire.faults import FaultError
from pyro_wire.messages import Message

WORKSPACE = "/workspace"
# Below the top of /workspace and of the root while a transaction is under way; in no list, search or diff.
STAGING = ".pyro-staging"
_KINDS = {stat.S_IFREG: "file", stat.S_IFDIR: "dir", stat.S_IFLNK: "link"}
_LONGEST = 4095


def absolute(path: str) -> str:
    """Return the path as seen from the workspace's root; a relative one lies below /workspace."""
    if len(path.encode("utf-8", "surrogateescape")) > _LONGEST:
        raise FaultError("invalid_request", f"{path[:60]}…: the path is too long")
    return path if path.startswith("/") else f"{WORKSPACE}/{path}"


def below_workspace(path: str) -> str | None:
    """Return what follows /workspace in a path as it is written, without slashes around it; None outside."""
    parts = [part for part in absolute(path).split("/") if part not in ("", ".")]
    if ".." in parts or parts[:1] != ["workspace"]:
        return None
    return "/".join(parts[1:])


def on_agents_side(path: str) -> str:
    """Return where the agent finds an absolute path of the workspace's root that has no links in it."""
    return mounts.ROOT + path


def open_place(root: int, path: str, *, follow: bool = True) -> int:
    """Open whatever is there without side effects (O_PATH). Raise FaultError in the host's terms."""
    with told(path):
        return system.open_in_root(root, absolute(path), os.O_PATH | (0 if follow else os.O_NOFOLLOW))


def open_to_read(place: int) -> int:
    """Open a regular file that `open_place` found."""
    return os.open(f"/proc/self/fd/{place}", os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)


def kind_of(status: os.stat_result) -> str:
    """Return file, dir, link, or other."""
    return _KINDS.get(stat.S_IFMT(status.st_mode), "other")


def describe(status: os.stat_result) -> dict[str, object]:
    """Return what every answer about an entry begins with."""
    return {
        "kind": kind_of(status),
        "mode": stat.S_IMODE(status.st_mode),
        "size": status.st_size,
        "mtime_ns": status.st_mtime_ns,
    }


def shown(path: str) -> str:
    """Return a path for people's eyes."""
    return path if path.isprintable() else repr(path)


@contextmanager
def told(path: str) -> Iterator[None]:
    """Turn the kernel's refusal of a path into a fault that names it."""
    try:
        yield
    except OSError as error:
        raise FaultError(
            _CODES.get(error.errno or 0, "guest_failed"), f"{shown(path)}: {reason(error)}"
        ) from error


_CODES = {
    errno.ENOENT: "not_found",
    errno.ENOTDIR: "not_found",
    errno.ELOOP: "invalid_request",
    errno.ENAMETOOLONG: "invalid_request",
    errno.EXDEV: "invalid_request",
    errno.ENOSPC: "limit_reached",
    errno.EDQUOT: "limit_reached",
}


def reason(error: OSError) -> str:
    """Return the kernel's word for an error, without Python's numbers and names."""
    return os.strerror(error.errno) if error.errno else str(error)


def ignored(message: Message, default: tuple[str, ...]) -> frozenset[str]:
    """Read the `ignore` field: names of entries that a walk leaves out."""
    value = message.get("ignore")
    if value is None:
        return frozenset(default)
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise FaultError("invalid_request", "ignore: a list of names belongs here")
    return frozenset(value)
