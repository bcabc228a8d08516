"""From operations to steps: where each one lands, whether it can be done, and what it needs done before."""

from __future__ import annotations

import errno
import os
from typing import NamedTuple

from pyro_agent.disk import mounts, places
from pyro_agent.transactions.operations import Operation, Step
from pyro_agent.transactions.outlook import Outlook, Seen
from pyro_agent.transactions.staging import Staged, Staging
from pyro_wire.faults import FaultError

_NEW_FILE, _NEW_FOLDER = 0o644, 0o755


class Outcome(NamedTuple):
    """What an operation makes of its path."""

    mode: int
    created: bool


class Plan:
    """The steps so far, and the tree as they will leave it."""

    def __init__(self, outlook: Outlook, staging: Staging) -> None:
        self.steps: list[Step] = []
        self.outcomes: list[Outcome] = []
        self._outlook = outlook
        self._staging = staging
        self._tops = {
            os.lstat(mounts.ROOT).st_dev: "",
            os.lstat(mounts.ROOT + places.WORKSPACE).st_dev: places.WORKSPACE,
        }

    def add(self, operation: Operation, staged: Staged | None) -> None:
        """Plan one more operation. Raise FaultError where it cannot be done."""
        place = self._outlook.resolve(operation.path)
        self._refuse_foreign(place, operation.path)
        if operation.op == "write":
            assert staged is not None
            self._write(place, operation, staged)
        elif operation.op == "symlink":
            self._put(place, operation, self._staging.link(operation.target, self._top(place)), "link")
        elif operation.op == "mkdir":
            self._make(place, operation)
        elif operation.op == "remove":
            self._remove(place, operation)
        elif operation.op == "move":
            self._move(place, operation)
        else:
            self._chmod(place, operation)

    def _write(self, place: str, operation: Operation, staged: Staged) -> None:
        self._put(place, operation, self._staging.at_mount(staged, self._top(place)), "file")

    def _put(self, place: str, operation: Operation, staged: Staged, kind: str) -> None:
        seen = self._outlook.at(place)
        if seen.kind == "dir":
            raise _problem("conflict", operation.path, "it is a directory")
        if operation.path.endswith("/"):
            raise _problem("invalid_request", operation.path, "it names a directory")
        self._make_folders(place)
        keeps = seen.kind == kind == "file"
        owner = seen if keeps else self._parent(place)
        mode = operation.mode if operation.mode is not None else seen.mode if keeps else _NEW_FILE
        real = places.on_agents_side(staged.path)
        if owner.uid or owner.gid:
            os.chown(real, owner.uid, owner.gid, follow_symlinks=False)
        if kind == "file" and mode != _NEW_FILE:
            os.chmod(real, mode)
        self.steps.append(Step("put", place, staged.path))
        self._outlook.plan(
            place, Seen(kind, mode=mode, uid=owner.uid, gid=owner.gid, target=operation.target)
        )
        self.outcomes.append(Outcome(mode, seen.kind == "absent"))

    def _make(self, place: str, operation: Operation) -> None:
        seen = self._outlook.at(place)
        if seen.kind not in ("absent", "dir"):
            raise _problem("conflict", operation.path, "it exists and is not a directory")
        mode = _NEW_FOLDER if operation.mode is None else operation.mode
        if seen.kind == "absent":
            self._make_folders(place)
            self._make_folder(place, mode)
        elif operation.mode is not None:
            self._set_mode(place, mode)
        self.outcomes.append(Outcome(mode, seen.kind == "absent"))

    def _remove(self, place: str, operation: Operation) -> None:
        seen = self._outlook.at(place)
        if operation.if_empty and not (seen.kind == "dir" and self._outlook.empty(place)):
            self.outcomes.append(Outcome(seen.mode, created=False))
            return
        if seen.kind == "absent":
            raise _problem("not_found", operation.path, "there is nothing to remove")
        if seen.kind == "dir" and not operation.recursive and not self._outlook.empty(place):
            raise _problem("conflict", operation.path, "the directory is not empty", "set recursive")
        self.steps.append(Step("remove", place))
        self._outlook.plan_absent(place)
        self.outcomes.append(Outcome(0, created=False))

    def _move(self, source: str, operation: Operation) -> None:
        seen = self._outlook.at(source)
        if seen.kind == "absent":
            raise _problem("not_found", operation.path, "there is nothing to move")
        place = self._outlook.resolve(operation.to)
        self._refuse_foreign(place, operation.to)
        there = self._outlook.at(place)
        if place.startswith(source + "/"):
            raise _problem("invalid_request", operation.to, "it lies in what is moved there")
        if place != source and (there.kind == "dir" or (seen.kind == "dir" and there.kind != "absent")):
            raise _problem("conflict", operation.to, "it exists")
        if self._top(source) != self._top(place):
            hint = "write it there and remove it here"
            raise _problem(
                "invalid_request", operation.to, "files move only within /workspace or outside it", hint
            )
        if place != source:
            self._make_folders(place)
            self._own(seen)
            self.steps.append(Step("move", place, source))
            self._outlook.plan_move(source, place)
        self.outcomes.append(Outcome(seen.mode, there.kind == "absent"))

    def _chmod(self, place: str, operation: Operation) -> None:
        seen = self._outlook.at(place)
        if seen.kind not in ("file", "dir"):
            code = "not_found" if seen.kind == "absent" else "invalid_request"
            raise _problem(code, operation.path, f"no file or directory, but {seen.kind}")
        assert operation.mode is not None
        self._own(seen)
        self._set_mode(place, operation.mode)
        self.outcomes.append(Outcome(operation.mode, created=False))

    def _set_mode(self, place: str, mode: int) -> None:
        self.steps.append(Step("mode", place, mode=mode))
        self._outlook.plan_mode(place, mode)

    def _make_folders(self, place: str) -> None:
        for folder in self._outlook.missing_folders(place):
            self._make_folder(folder, _NEW_FOLDER)

    def _make_folder(self, folder: str, mode: int) -> None:
        parent = self._parent(folder)
        self.steps.append(Step("make", folder, mode=mode, uid=parent.uid, gid=parent.gid))
        self._outlook.plan(
            folder, Seen("dir", mode=mode, uid=parent.uid, gid=parent.gid, device=parent.device)
        )

    def _parent(self, place: str) -> Seen:
        """Return the nearest directory above that is there: what is new belongs to its owner."""
        above = place
        while True:
            above = above.rpartition("/")[0]
            seen = self._outlook.at(above or "/")
            if seen.kind == "dir" or not above:
                return seen

    def _top(self, place: str) -> str:
        return self._tops[self._parent(place).device]

    def _refuse_foreign(self, place: str, path: str) -> None:
        """Refuse what is not on the workspace's disk, and what holds up everything else."""
        inside = place[1:].partition("/")[0]
        if inside in ("proc", "sys", "dev", "run") or self._parent(place).device not in self._tops:
            raise _problem("invalid_request", path, f"/{inside} is not on the workspace's disk")
        if place == places.WORKSPACE or place.endswith(f"/{places.STAGING}"):
            raise _problem("invalid_request", path, "this must stay as it is")

    def _own(self, seen: Seen) -> None:
        """Have the overlay copy a file of the seed now, so that a full disk shows before the commit."""
        if seen.kind == "file" and seen.real:
            try:
                flags = os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK
                os.close(os.open(places.on_agents_side(seen.real), flags))
            except OSError as error:
                if error.errno == errno.ENOSPC:
                    raise _problem("limit_reached", seen.real, "the workspace's disk is full") from error


def _problem(code: str, path: str, what: str, hint: str | None = None) -> FaultError:
    return FaultError(code, f"{places.shown(path)}: {what}", hint=hint)
