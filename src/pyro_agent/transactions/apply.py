"""Verb `tree.apply`: the one that changes files. Any number of operations, all of them or none.

Body: a JSON line per operation {op, path, to?, mode?, target?, size?, recursive?, expect?}; a write's bytes follow it.
Steps: receive and stage contents; decide everything; then commit the journal, carry it out, and answer.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager

from pyro_agent.disk import mounts, places
from pyro_agent.requests.delegated import Work
from pyro_agent.transactions import journal
from pyro_agent.transactions.journal import Journal
from pyro_agent.transactions.operations import Operation, Step
from pyro_agent.transactions.outlook import Outlook, list_on_disk, look_at_disk
from pyro_agent.transactions.planning import Plan
from pyro_agent.transactions.staging import Staged, Staging
from pyro_agent.workers.desk import Desk
from pyro_wire.faults import FaultError
from pyro_wire.messages import Message

_MOST_OPERATIONS = 500_000
# So many files are told of in the answer; the host knows what it asked for.
_TOLD, _TOLD_BYTES = 150, 32 * 1024
_TOLD_CONFLICTS = 20
# Renames need next to nothing, but not nothing: directory blocks, and inodes for what the overlay hides.
_SPARE_BYTES, _SPARE_PER_STEP = 1 << 20, 8192
_BLOCK = 256 * 1024


class ApplyTree(Work):
    """The agent's side: never killed half-way."""

    killable = False


def apply_tree(_: Message, desk: Desk) -> Message:
    """Carry a transaction out: the job of a worker."""
    staging = Staging()
    try:
        operations = list(_receive(staging, desk))
        with _alone():
            journal.recover_committed()  # of a worker that died
            plan = _decided(operations, staging)
            staging.settle()
            _commit(staging.name, plan.steps)
        return _answer(operations, plan)
    finally:
        staging.clear()


def _receive(staging: Staging, desk: Desk) -> Iterator[tuple[Operation, Staged | None]]:
    count = 0
    while (line := desk.take_line()) is not None:
        operation = Operation.from_message(line)
        count += 1
        if count > _MOST_OPERATIONS:
            raise FaultError("limit_reached", f"a transaction has at most {_MOST_OPERATIONS} operations")
        yield operation, staging.receive(operation, desk) if operation.op == "write" else None


@contextmanager
def _alone() -> Iterator[None]:
    """Let one transaction decide and commit at a time, so that what was decided stays true."""
    folder = os.open(os.path.dirname(journal.FOLDER), os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _decided(operations: list[tuple[Operation, Staged | None]], staging: Staging) -> Plan:
    outlook = Outlook(look_at_disk, list_on_disk)
    plan = Plan(outlook, staging)
    conflicts: list[str] = []
    for operation, staged in operations:
        conflict = _conflict(operation, outlook.resolve(operation.path))
        if conflict:
            conflicts.append(f"{places.shown(operation.path)}: {conflict}")
        elif not conflicts:
            plan.add(operation, staged)
    if conflicts:
        more = f" (and {len(conflicts) - 1} more)" if len(conflicts) > 1 else ""
        raise FaultError(
            "conflict",
            conflicts[0] + more,
            details="\n".join(conflicts[1:_TOLD_CONFLICTS]) or None,
            hint="nothing was changed; read it again",
        )
    free = os.statvfs(mounts.DISK)
    if not _is_one_name_less(
        plan.steps
    ) and free.f_bfree * free.f_bsize < _SPARE_BYTES + _SPARE_PER_STEP * len(plan.steps):
        raise FaultError("limit_reached", "the workspace's disk is full", hint="delete something in it first")
    return plan


def _conflict(operation: Operation, place: str) -> str | None:
    """Say how the disk is not as the operation expects it."""
    expect = operation.expect
    if expect.present is None:
        return None
    seen = look_at_disk(place)
    if not expect.present:
        return None if seen.kind == "absent" else "it exists"
    if seen.kind == "absent":
        return "it does not exist"
    if expect.sha256 is None:
        return None
    if seen.kind == "link":
        same = hashlib.sha256(os.fsencode(seen.target)).hexdigest() == expect.sha256
    else:
        same = seen.kind == "file" and _hash(place) == expect.sha256
    return None if same else "its content is not the expected one"


def _hash(place: str) -> str:
    digest = hashlib.sha256()
    with open(places.on_agents_side(place), "rb", buffering=0) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _is_one_name_less(steps: list[Step]) -> bool:
    """Tell whether all there is to do is to take one file's or link's name away: that is whole or not done by itself."""
    return len(steps) == 1 and steps[0].do == "remove" and look_at_disk(steps[0].path).kind != "dir"


def _commit(name: str, steps: list[Step]) -> None:
    if not steps:
        return
    if _is_one_name_less(steps):  # on a disk full to its last block there is no room for a journal
        journal.take_away(steps[0])
        return
    with places.told("the transaction's journal"):
        committed = Journal.commit(name, steps)
    try:
        committed.carry_out()
    except OSError as error:
        raise FaultError(
            "guest_failed",
            f"the disk refused in the middle: {places.reason(error)}",
            details=f"some of {len(steps)} steps are done: {error}",
            hint="look at what is there: something else in the workspace changed the same files, or the disk is full",
        ) from error
    finally:
        committed.remove()


def _answer(operations: list[tuple[Operation, Staged | None]], plan: Plan) -> Message:
    entries: list[dict[str, object]] = []
    room = _TOLD_BYTES
    for (operation, staged), outcome in zip(operations[:_TOLD], plan.outcomes, strict=False):
        about: dict[str, object] = {
            "path": operation.path,
            "sha256": staged.sha256 if staged else None,
            "size": operation.size,
        }
        entry = {**about, "mode": outcome.mode, "created": outcome.created}
        room -= len(json.dumps(entry))
        if room < 0:
            break
        entries.append(entry)
    return {"applied": len(operations), "entries": entries, "more": len(operations) > len(entries)}
