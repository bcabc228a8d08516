"""Verb `tree.changes`: what differs between the seed and now, with both contents where they are asked for."""

from __future__ import annotations

import hashlib
import os
import stat

from pyro_agent.disk import mounts, places
from pyro_agent.files.layers import Difference, Layers, Node, Only
from pyro_agent.workers.desk import Desk
from pyro_wire import messages
from pyro_wire.faults import FaultError
from pyro_wire.messages import Message

_BLOCK = 256 * 1024
_USUAL_FILE, _LARGEST_FILE = 4 << 20, 64 << 20
_USUAL_TOTAL, _LARGEST_TOTAL = 256 << 20, 8 << 30
_USUAL_COUNT, _LARGEST_COUNT = 100_000, 10_000_000


def list_changes(message: Message, desk: Desk) -> Message:
    """`tree.changes` {paths=[], contents=false, hash=false, max_bytes=4 MiB, max_total=256 MiB, limit=100000}.

    Each record is a JSON line {path, status, old, new, old_bytes, new_bytes, omitted?}, then so many bytes.
    Files, links and their modes are what counts; directories, owners and times are not. With everything=true
    directories are, and what is neither. With only=true what the seed has not counts where the body names it: lines
    {just: paths} and {whole: paths with all below}, relative to /workspace. With git=true only what else is never told: the
    programs below any .git, which git runs.
    """
    report = _Report(message, desk)
    filters = tuple(_filter(path) for path in _paths(message))
    layers = Layers(
        mounts.WORKSPACE_UPPER,
        mounts.SEED if os.path.ismount(mounts.SEED) else None,
        everything=messages.flag(message, "everything", default=False),
        below_git=report.of_git,
    )
    only = take_only(desk) if messages.flag(message, "only", default=False) else None
    complete = True
    for difference in layers.differences(filters, only):
        if report.full:
            complete = False
            break
        report.consider(difference)
    return {"changed": report.changed, "complete": complete and not layers.unseen, "unseen": layers.unseen}


def take_only(desk: Desk) -> Only:
    """Read from the body what is of interest."""
    just: set[str] = set()
    whole: set[str] = set()
    while (line := desk.take_line()) is not None:
        for name, paths in (("just", just), ("whole", whole)):
            if name in line:
                paths.update(messages.texts(line, name))
    return Only(frozenset(just), frozenset(whole))


def _paths(message: Message) -> list[str]:
    return messages.texts(message, "paths") if message.get("paths") is not None else []


def _filter(path: str) -> str:
    below = places.below_workspace(path)
    if below is None:
        raise FaultError(
            "invalid_request", f"{places.shown(path)}: only /workspace has a seed to compare with"
        )
    return below


class _Report:
    def __init__(self, message: Message, desk: Desk) -> None:
        self._desk = desk
        self._contents = messages.flag(message, "contents", default=False)
        self._hash = messages.flag(message, "hash", default=False)
        self._most = _bounded(message, "max_bytes", _USUAL_FILE, _LARGEST_FILE)
        self._left = _bounded(message, "max_total", _USUAL_TOTAL, _LARGEST_TOTAL)
        self._limit = _bounded(message, "limit", _USUAL_COUNT, _LARGEST_COUNT)
        self.of_git = messages.flag(message, "git", default=False)
        self.changed = 0

    @property
    def full(self) -> bool:
        return self.changed >= self._limit

    def consider(self, difference: Difference) -> None:
        """Tell of it if it is one."""
        path, old, new = difference
        if self.of_git and not _run_by_git(path, new):
            return
        try:
            if old is None or new is None or differs(old, new):
                self._tell(path, old, new)
        except FileNotFoundError:
            return  # gone while we looked

    def _tell(self, path: str, old: Node | None, new: Node | None) -> None:
        status = "added" if old is None else "deleted" if new is None else "modified"
        described = {"old": self._described(old), "new": self._described(new, now=True)}
        contents = self._read(old, new)
        sizes = {"old_bytes": 0, "new_bytes": 0}
        if contents is not None:
            sizes = {"old_bytes": len(contents[0]), "new_bytes": len(contents[1])}
        omitted = {"omitted": True} if contents is None and self._contents else {}
        self._desk.put_line({"path": path, "status": status, **described, **sizes, **omitted})
        for content in contents or ():
            self._desk.put(content)
        self.changed += 1

    def _described(self, node: Node | None, *, now: bool = False) -> dict[str, object] | None:
        if node is None:
            return None
        about: dict[str, object] = {
            "kind": node.kind,
            "mode": stat.S_IMODE(node.status.st_mode),
            "size": node.status.st_size,
        }
        if node.kind == "link":
            about["target"] = os.readlink(node.real)
        elif node.kind == "file" and now and self._hash:
            about["sha256"] = _hashed(node.real)
        return about

    def _read(self, old: Node | None, new: Node | None) -> tuple[bytes, bytes] | None:
        """Return both contents; None where they are not wanted or too large."""
        files = [node for node in (old, new) if node is not None and node.kind == "file"]
        total = sum(node.status.st_size for node in files)
        if not self._contents or total > self._left or any(n.status.st_size > self._most for n in files):
            return None
        self._left -= total
        return self._content(old), self._content(new)

    def _content(self, node: Node | None) -> bytes:
        if node is None or node.kind != "file":
            return b""
        with open(node.real, "rb", buffering=0) as file:
            return file.read(
                min(self._most, node.status.st_size)
            )  # a file that grows meanwhile is cut, not waited for


def _run_by_git(path: str, new: Node | None) -> bool:
    """Whether it is a program below a .git; git's own samples are run by nobody."""
    if new is None or new.kind != "file" or not new.status.st_mode & 0o111:
        return False
    return ".git" in path.split("/")[:-1] and not path.endswith(".sample")


def differs(old: Node, new: Node) -> bool:
    """Tell whether two of them do; what was touched and is the same does not."""
    if old.kind != new.kind or new.kind == "other":
        return True
    if old.kind == "link":
        return os.readlink(old.real) != os.readlink(new.real)
    if stat.S_IMODE(old.status.st_mode) != stat.S_IMODE(new.status.st_mode):
        return True
    if new.kind == "dir":
        return False
    return old.status.st_size != new.status.st_size or not _same_bytes(old.real, new.real)


def _same_bytes(one: str, other: str) -> bool:
    with open(one, "rb", buffering=0) as first, open(other, "rb", buffering=0) as second:
        while True:
            block = first.read(_BLOCK)
            if block != second.read(_BLOCK):
                return False
            if not block:
                return True


def _hashed(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb", buffering=0) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _bounded(message: Message, name: str, usual: int, largest: int) -> int:
    value = messages.optional_integer(message, name, low=0, high=largest)
    return usual if value is None else value
