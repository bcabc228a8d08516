"""Verbs `file.stat` and `file.read`: one file, looked at without side effects. A FIFO or device is never opened."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from typing import Self

from pyro_agent.disk import mounts, places
from pyro_agent.requests.delegated import Work
from pyro_agent.requests.request import Request
from pyro_agent.workers.desk import Desk
from pyro_wire import messages
from pyro_wire.faults import FaultError
from pyro_wire.messages import Message

# What fits into a new stream's window is read in the loop; more takes long enough to be a worker's.
_AT_ONCE = 128 * 1024
_BLOCK = 256 * 1024
_LARGEST = 2**62


class FileStat(Request):
    """Say what is at a path; a link is itself."""

    def start(self, message: Message) -> None:
        """Answer at once. What is not there is an answer, too."""
        if self.machine.root is None:
            raise FaultError("conflict", "this machine has no disk yet", hint="attach one first")
        path = messages.text(message, "path")
        try:
            place = places.open_place(self.machine.root, path, follow=False)
        except FaultError as error:
            if error.fault.code != "not_found":
                raise
            self.answer({"kind": "absent", "mode": 0, "size": 0, "mtime_ns": 0, "target": None})
            return
        try:
            status = os.fstat(place)
            target = os.readlink("", dir_fd=place) if stat.S_ISLNK(status.st_mode) else None
        finally:
            os.close(place)
        self.answer({**places.describe(status), "target": target})


class FileRead(Work):
    """Give a file's bytes."""

    def start(self, message: Message) -> None:
        """Serve a small file here and now."""
        if self.machine.root is None:
            raise FaultError("conflict", "this machine has no disk yet", hint="attach one first")
        wanted = Reading.from_message(message)
        with OpenedFile(self.machine.root, wanted) as opened:
            if opened.status.st_size > _AT_ONCE:
                super().start(message)
                return
            data = opened.read(opened.status.st_size + 1)
            part = wanted.part_of(data)
            if part:
                self.send(1, part)
            self.answer(opened.answer(hashlib.sha256(data).hexdigest() if wanted.hash else None))


@dataclass(frozen=True, slots=True)
class Reading:
    """A checked `file.read` request."""

    path: str
    offset: int
    limit: int
    hash: bool
    seed: bool

    @classmethod
    def from_message(cls, message: Message) -> Reading:
        """Check every field; raise MessageError for the first that is wrong."""
        layer = messages.text(message, "layer", default="now")
        if layer not in ("now", "seed"):
            raise FaultError("invalid_request", "layer: now or seed belongs here")
        return cls(
            path=messages.text(message, "path"),
            offset=messages.optional_integer(message, "offset", low=0, high=_LARGEST) or 0,
            limit=_or_all(messages.optional_integer(message, "limit", low=0, high=_LARGEST)),
            hash=messages.flag(message, "hash", default=False),
            seed=layer == "seed",
        )

    def part_of(self, data: bytes) -> memoryview:
        """Return the wanted part of a whole file."""
        return memoryview(data)[self.offset : self.offset + self.limit]


def _or_all(limit: int | None) -> int:
    return _LARGEST if limit is None else limit


class OpenedFile:
    """A regular file, open; links on the way were followed inside the root."""

    def __init__(self, root: int, wanted: Reading) -> None:
        """Open it; raise FaultError for what is no file."""
        self._wanted = wanted
        base, path = _in_seed(wanted.path) if wanted.seed else (root, places.absolute(wanted.path))
        try:
            place = places.open_place(base, path)
            try:
                self.status = os.fstat(place)
                _insist_on_file(self.status, wanted.path)
                self._file = places.open_to_read(place)
            finally:
                os.close(place)
            self._target = _link_target(base, path)
        finally:
            if wanted.seed:
                os.close(base)

    def __enter__(self) -> Self:
        """Close it at the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        os.close(self._file)

    def read(self, most: int) -> bytes:
        """Read on."""
        return os.read(self._file, most)

    def skip(self, count: int) -> None:
        """Read on from there."""
        os.lseek(self._file, count, os.SEEK_SET)

    def answer(self, digest: str | None) -> Message:
        """Return the answer."""
        return {**places.describe(self.status), "sha256": digest, "target": self._target}


def read_file(message: Message, desk: Desk) -> Message:
    """Give a large file's bytes: the job of a worker."""
    wanted = Reading.from_message(message)
    root = os.open(mounts.ROOT, os.O_PATH | os.O_DIRECTORY)
    try:
        with OpenedFile(root, wanted) as opened:
            if wanted.hash:
                return opened.answer(_hash_and_send(opened, wanted, desk))
            _send(opened, wanted, desk)
            return opened.answer(None)
    finally:
        os.close(root)


def _send(opened: OpenedFile, wanted: Reading, desk: Desk) -> None:
    opened.skip(wanted.offset)
    left = wanted.limit
    while left and (block := opened.read(min(_BLOCK, left))):
        desk.put(block)
        left -= len(block)


def _hash_and_send(opened: OpenedFile, wanted: Reading, desk: Desk) -> str:
    digest, at, end = hashlib.sha256(), 0, wanted.offset + wanted.limit
    while block := opened.read(_BLOCK):
        digest.update(block)
        if at < end and at + len(block) > wanted.offset:
            desk.put(memoryview(block)[max(0, wanted.offset - at) : end - at])
        at += len(block)
    return digest.hexdigest()


def _in_seed(path: str) -> tuple[int, str]:
    below = places.below_workspace(path)
    if below is None:
        raise FaultError("invalid_request", f"{places.shown(path)}: only /workspace has a seed")
    if not os.path.ismount(mounts.SEED):
        raise FaultError("not_found", f"{places.shown(path)}: the workspace began empty")
    return os.open(mounts.SEED, os.O_PATH | os.O_DIRECTORY), f"/{below}"


def _insist_on_file(status: os.stat_result, path: str) -> None:
    kind = places.kind_of(status)
    if kind != "file":
        what = {"dir": "a directory", "link": "a link"}.get(kind, "a device, pipe or socket")
        hint = "`<<workspace_file_list>>` shows what is in it." if kind == "dir" else None
        raise FaultError("invalid_request", f"{places.shown(path)}: it is {what}, not a file", hint=hint)


def _link_target(base: int, path: str) -> str | None:
    place = places.open_place(base, path, follow=False)
    try:
        return os.readlink("", dir_fd=place) if stat.S_ISLNK(os.fstat(place).st_mode) else None
    finally:
        os.close(place)
