"""Bring later changes of the host into a workspace: only what differs, all of it or nothing."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

from pyro_mcp.errors import Conflict, InvalidRequest, LimitReached
from pyro_mcp.host.paths import private_directory
from pyro_mcp.host.room import free_disk
from pyro_mcp.models.names import display_name
from pyro_mcp.models.push import PushReport
from pyro_mcp.models.seed import SkippedPath
from pyro_mcp.progress import step
from pyro_mcp.workspaces.files import guest_changes, guest_files
from pyro_mcp.workspaces.files.guest_changes import Step
from pyro_mcp.workspaces.push.held import held, repositories
from pyro_mcp.workspaces.push.memory import Memory, one_push
from pyro_mcp.workspaces.push.plan import PushChange, PushPlan, in_git, plan_push
from pyro_mcp.workspaces.seeding.entries import Entry, Unseedable, open_plain
from pyro_mcp.workspaces.seeding.manifest import Item, Manifest
from pyro_mcp.workspaces.seeding.select import SeedOptions, Selection, select
from pyro_mcp.workspaces.session import Session, Sessions
from pyro_wire.messages import Message

_TOP = "/workspace"
_BLOCK = 1 << 20
# Left free on the host whatever is pushed: a push waits there until it is complete.
_SPARE_BYTES = 256 << 20
# As many of the paths in conflict are named: enough to see what it is about.
_NAMED = 20


def push_sync(
    session: Session,
    sessions: Sessions,
    source_path: str,
    *,
    dest: str = _TOP,
    delete: bool = False,
    overwrite: bool = False,
    include_ignored: bool = False,
    include_sensitive: bool = False,
) -> PushReport:
    """Bring what a host's directory has and did not have when it last came into the workspace, by the rules of seeding.

    Raises Conflict when both sides changed the same differently, unless the host's version is to win (`overwrite`), and when
    somebody changes the same files on either side meanwhile; then nothing happened.
    """
    source = Path(os.path.abspath(source_path))  # noqa: PTH100 - links stay links
    if os.path.lexists(source) and not os.path.isdir(source):  # noqa: PTH112 - no error for what cannot be looked at
        raise InvalidRequest(
            f"{source} is not a directory", hint="`<<workspace_file_write>>` brings a single file."
        )
    with step(f"looking through {source}"):
        selection = select(source, SeedOptions(include_ignored, include_sensitive))
    below = _below_top(dest)
    pushed = [entry for entry in selection.entries if not in_git(entry.path)]
    with one_push(sessions, session.record.id):
        memory = Memory(sessions, session.record.id, below) if below is not None else None
        have = held(session, dest, below, memory.seeded if memory else {}, pushed, delete=delete)
        plan = plan_push(
            selection,
            {**have, **_repositories(session, dest, have, pushed, delete=delete)} if memory else have,
            base=memory.base if memory else None,
            delete=delete,
            overwrite=overwrite,
            include_sensitive=include_sensitive,
            known=sessions.seeds.hashes(source).load(),
        )
        _refuse_clashes(plan)
        with memory.remembering(plan.agreed) if memory else nullcontext():
            _apply(session, sessions.paths.cache, plan, dest, have)
    return _report(source, dest, plan, selection, session)


def _repositories(
    session: Session, dest: str, have: Manifest, pushed: list[Entry], *, delete: bool
) -> Manifest:
    """Give the `.git` of each directory that the push may take away: nothing else that looks at a workspace tells of them."""
    kinds = {entry.path: entry.kind for entry in pushed}
    doomed = [
        path
        for path, there in have.items()
        if there.kind == "directory" and kinds.get(path, "" if delete else "directory") != "directory"
    ]
    return repositories(session, dest, [path for path in doomed if not in_git(path)]) if doomed else {}


def _refuse_clashes(plan: PushPlan) -> None:
    if not plan.clashes:
        return
    count = len(plan.clashes)
    lines = [f"{display_name(path)}: {reason}" for path, reason in plan.clashes[:_NAMED]]
    lines += [f"and {count - _NAMED} more"] if count > _NAMED else []
    raise Conflict(
        f"host and workspace both changed {count} path{'' if count == 1 else 's'}: nothing was pushed",
        details="\n".join(lines),
        hint="Look at them with `<<workspace_file_read>>` or `<<workspace_diff>>`. "
        "Then push with <<overwrite=true>> to take the host's versions, or push a smaller part.",
    )


def _below_top(dest: str) -> bytes | None:
    """Give a destination's path below /workspace with a slash behind it, empty for all of it; None for one outside."""
    parts = [part for part in guest_files.name_bytes(dest).split(b"/") if part not in (b"", b".")]
    if b".." in parts:
        raise InvalidRequest(f"{dest} is no plain path", hint="Name it without `..`.")
    if b".git" in parts:
        raise InvalidRequest(f"{dest}: .git is the workspace's own and is never pushed to")
    if dest.startswith("/"):
        if parts[:1] != [b"workspace"]:
            return None
        parts = parts[1:]
    return b"".join(part + b"/" for part in parts)


# -- what is to be done ---------------------------------------------------------------------------------------------------


def _apply(session: Session, cache: Path, plan: PushPlan, dest: str, have: Manifest) -> None:
    if not plan.changes:
        return
    spool = private_directory(cache / "pushes")
    if plan.size > free_disk(spool) - _SPARE_BYTES:
        raise LimitReached(
            f"the push of {plan.size >> 20} MiB does not fit on the host's disk, where it waits until it is complete",
            hint="Free some disk space (pyro prune), or push a smaller part.",
        )
    gone = {change.path for change in plan.changes if change.removes}
    prefix = guest_files.name_bytes(dest).rstrip(b"/") + b"/"
    with step(f"pushing {len(plan.changes)} changes"):
        guest_changes.apply(
            session, (_step(change, prefix, have, gone) for change in plan.changes), spool=spool
        )


def _step(change: PushChange, prefix: bytes, have: Manifest, gone: set[bytes]) -> Step:
    path, entry = prefix + change.path, change.entry
    expect = None if _is_replaced(change, gone) else _expectation(have.get(change.path))
    if change.action == "remove-empty":
        return guest_changes.remove_if_empty_step(path)
    if change.removes:
        return guest_changes.remove_step(path, recursive=change.action == "remove-all", expect=expect)
    assert entry is not None
    if change.action == "directory":
        return guest_changes.mkdir_step(path, mode=change.mode)
    if change.action == "mode":
        return guest_changes.chmod_step(path, mode=change.mode)
    if change.action == "symlink":
        return guest_changes.link_step(path, entry.target, expect=expect)
    return guest_changes.write_stream_step(
        path, _pieces(change, entry), size=entry.size, mode=change.mode, expect=expect
    )


def _is_replaced(change: PushChange, gone: set[bytes]) -> bool:
    """Tell whether another step takes away what is there, or what it lies in; that one has the expectation."""
    if change.removes:
        return False
    parts = change.path.split(b"/")
    return any(b"/".join(parts[:depth]) in gone for depth in range(1, len(parts) + 1))


def _expectation(there: Item | None) -> Message | None:
    """What must still be there when the push is carried out: what it was worked out on."""
    if there is None:
        return {"absent": True}
    if there.kind == "directory" or not there.digest:
        return None
    return {"sha256": there.digest.hex()}


def _pieces(change: PushChange, entry: Entry) -> Callable[[], Iterator[bytes]]:
    """Read a host's file once more, and insist that it is what the plan was made for."""

    def read() -> Iterator[bytes]:
        digest, left = hashlib.sha256(), entry.size
        try:
            with os.fdopen(open_plain(entry.origin or b""), "rb", buffering=0) as file:
                while block := file.read(min(_BLOCK, left + 1)):
                    left -= len(block)
                    if left < 0:
                        break
                    digest.update(block)
                    yield block
        except (OSError, Unseedable) as error:
            raise _changing(entry, str(error)) from error
        if left or digest.digest() != change.digest:
            raise _changing(entry, "its content is another one than a moment before")

    return read


def _changing(entry: Entry, details: str) -> Conflict:
    return Conflict(
        f"{display_name(entry.path)} changed on the host while it was pushed",
        details=details,
        hint="Nothing was pushed. Push again when nothing writes there.",
    )


def _report(source: Path, dest: str, plan: PushPlan, selection: Selection, session: Session) -> PushReport:
    removed = plan.removed
    changed = sum(not change.removes for change in plan.changes)
    session.note(source=str(source), changed=changed, removed=removed, bytes=plan.size)
    found = selection.findings
    listed = PushReport.LISTED
    report = PushReport(
        source=str(source),
        dest=dest,
        changed=changed,
        removed=removed,
        unchanged=plan.unchanged,
        bytes=plan.size,
        kept=tuple(map(display_name, plan.kept[:listed])),
        kept_count=len(plan.kept),
        overwritten=tuple(map(display_name, plan.overwritten[:listed])),
        overwritten_count=len(plan.overwritten),
        withheld=tuple(map(display_name, sorted(found.withheld)[:listed])),
        withheld_count=len(found.withheld),
        skipped=tuple(
            SkippedPath(path=display_name(path), reason=reason)
            for path, reason in sorted(found.skipped)[:listed]
        ),
        skipped_count=len(found.skipped) + found.skipped_uncounted,
    )
    return session.shown(report)
