"""A transaction's point of no return: steps written down on the disk before the first of them is done.

New contents lie ready beside the tree (`places.STAGING`), so every step is a rename or as small. After a kill the journal
is found at `attach` and carried on. That rests on ext4's promise that what happened first is on the disk first: no step
can have outlived the kill without all steps before it. Steps may be done twice, but a move or a removal only right after
itself, so the journal's name tells from which step on it counts: `<id>.<number>`.
"""

from __future__ import annotations

import json
import os
import zlib
from contextlib import suppress
from itertools import groupby
from typing import Self

from pyro_agent.base import system
from pyro_agent.base.log import say
from pyro_agent.disk import mounts, places
from pyro_agent.transactions.operations import Step

FOLDER = f"{mounts.DISK}/pyro/txn"
STAGINGS = (f"{mounts.ROOT}{places.WORKSPACE}/{places.STAGING}", f"{mounts.ROOT}/{places.STAGING}")


class Journal:
    """Steps that will be done, whatever happens; from `first` on they may not have been."""

    def __init__(self, name: str, first: int, steps: list[Step]) -> None:
        self._name = name
        self._first = first
        self._steps = steps

    @classmethod
    def commit(cls, name: str, steps: list[Step]) -> Journal:
        """Write it down. When this returns, the steps will be done even if the machine is killed now."""
        lines = b"".join(json.dumps(step, separators=(",", ":")).encode("ascii") + b"\n" for step in steps)
        os.makedirs(FOLDER, mode=0o700, exist_ok=True)
        file = os.open(f"{FOLDER}/{name}.0", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with memoryview(lines + b"end %08x\n" % zlib.crc32(lines)) as rest:
                while len(rest):
                    rest = rest[os.write(file, rest) :]
            os.fsync(file)
        except OSError:
            os.unlink(f"{FOLDER}/{name}.0")
            raise
        finally:
            os.close(file)
        return cls(name, 0, steps)

    @classmethod
    def found(cls, file_name: str) -> Journal | None:
        """Read one that was left behind; None for one that was never whole."""
        name, _, first = file_name.partition(".")
        with open(f"{FOLDER}/{file_name}", "rb") as file:
            lines, _, end = file.read().rpartition(b"end ")
        if not first.isdecimal() or end != b"%08x\n" % zlib.crc32(lines):
            return None
        try:
            return cls(name, int(first), [Step(*json.loads(line)) for line in lines.splitlines()])
        except (ValueError, TypeError):
            return None

    def carry_out(self) -> None:
        """Do what is left to do. Raise OSError where the disk refuses."""
        at = self._first
        with Hands() as hands:
            for kind, group in groupby(enumerate(self._steps[at:], at), key=_kind):
                if kind and at > self._first:
                    self._pass(at)
                for number, step in group:
                    hands.do(step)
                    at = number + 1
                if kind and at < len(self._steps):
                    self._pass(at)

    def remove(self) -> None:
        """Forget it, and see to it that steps and forgetting are on the disk."""
        os.unlink(f"{FOLDER}/{self._name}.{self._first}")
        folder = os.open(FOLDER, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _pass(self, number: int) -> None:
        if number != self._first:
            os.rename(f"{FOLDER}/{self._name}.{self._first}", f"{FOLDER}/{self._name}.{number}")
            self._first = number


def _kind(numbered: tuple[int, Step]) -> str:
    """Steps of one kind can be done again together: '' for those that can at any time, each move alone."""
    number, step = numbered
    return f"move {number}" if step.do == "move" else step.do if step.do == "remove" else ""


class Hands:
    """Does steps; a folder is found anew only when another one is needed."""

    def __init__(self) -> None:
        self._root = os.open(mounts.ROOT, os.O_PATH | os.O_DIRECTORY)
        self._path = ""
        self._folder = -1

    def __enter__(self) -> Self:
        """Give everything back at the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Give everything back."""
        self._let_go()
        os.close(self._root)

    def do(self, step: Step) -> None:
        """Do one step, or find it done."""
        folder, name = self._at(step.path)
        if step.do == "put":
            with suppress(FileNotFoundError):
                os.rename(places.on_agents_side(step.source), name, dst_dir_fd=folder)
        elif step.do == "make":
            with suppress(FileExistsError):
                os.mkdir(name, dir_fd=folder)
            self._set(folder, name, step)
        elif step.do == "mode":
            os.chmod(name, step.mode, dir_fd=folder)
        elif step.do == "remove":
            remove_all(folder, name)
        else:
            source, source_name = self._open(step.source)
            try:
                with suppress(FileNotFoundError):
                    os.rename(source_name, name, src_dir_fd=source, dst_dir_fd=folder)
            finally:
                os.close(source)
        if step.do in ("remove", "move"):
            self._let_go()  # it may lie in what is gone

    def _set(self, folder: int, name: str, step: Step) -> None:
        if step.mode != 0o755:
            os.chmod(name, step.mode, dir_fd=folder)
        if step.uid or step.gid:
            os.chown(name, step.uid, step.gid, dir_fd=folder, follow_symlinks=False)

    def _at(self, path: str) -> tuple[int, str]:
        above, _, name = path.rpartition("/")
        if self._folder < 0 or above != self._path:
            self._let_go()
            self._folder, name = self._open(path)
            self._path = above
        return self._folder, name

    def _open(self, path: str) -> tuple[int, str]:
        above, _, name = path.rpartition("/")
        return system.open_in_root(self._root, above or "/", os.O_PATH | os.O_DIRECTORY), name

    def _let_go(self) -> None:
        if self._folder >= 0:
            os.close(self._folder)
            self._folder = -1


def remove_all(folder: int, name: str) -> None:
    """Remove whatever this is, with all that is in it; nothing there is as good."""
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        return
    except IsADirectoryError:
        inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
        try:
            for below in os.listdir(inner):
                remove_all(inner, below)
        finally:
            os.close(inner)
        os.rmdir(name, dir_fd=folder)


def take_away(step: Step) -> None:
    """Remove one file or link, and see to it that this is on the disk. Needs no journal: there is nothing half of it."""
    root = os.open(mounts.ROOT, os.O_PATH | os.O_DIRECTORY)
    try:
        above, _, name = step.path.rpartition("/")
        folder = system.open_in_root(root, above or "/", os.O_RDONLY | os.O_DIRECTORY)
    finally:
        os.close(root)
    try:
        with places.told(step.path):
            os.unlink(name, dir_fd=folder)
            os.fsync(folder)
    finally:
        os.close(folder)


def recover() -> None:
    """Carry on what a kill interrupted, and clear away what had not been committed. Never fails: an attach waits."""
    if not any(map(os.path.lexists, (FOLDER, *STAGINGS))):
        return
    try:
        recover_committed()
        for staging in STAGINGS:
            above, _, name = staging.rpartition("/")
            folder = os.open(above, os.O_PATH | os.O_DIRECTORY)
            try:
                remove_all(folder, name)
            finally:
                os.close(folder)
    except Exception as error:  # noqa: BLE001  (root in the guest may have written there what it likes)
        say(f"a transaction cannot be recovered: {error!r}")


def recover_committed() -> None:
    """Carry on the journals that are there; with the transactions' lock held, or before there are any."""
    if not os.path.isdir(FOLDER):
        return
    for name in sorted(os.listdir(FOLDER)):
        journal = Journal.found(name)
        if journal is None:
            os.unlink(f"{FOLDER}/{name}")
            continue
        say(f"carrying on transaction {name}")
        try:
            journal.carry_out()
        except OSError as error:
            say(f"transaction {name} is only partly done: {error}")
        journal.remove()
