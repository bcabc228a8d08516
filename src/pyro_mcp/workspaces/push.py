"""Bring later changes of the host into a workspace: only what differs, all of it or nothing."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from pyro_mcp.errors import Conflict, GuestFailed, InvalidRequest, LimitReached, NotFound
from pyro_mcp.host.paths import private_directory
from pyro_mcp.host.room import free_disk
from pyro_mcp.models.names import display_name
from pyro_mcp.models.push import PushReport
from pyro_mcp.models.seed import SkippedPath
from pyro_mcp.progress import step
from pyro_mcp.workspaces import guest_files
from pyro_mcp.workspaces.guest_files import Step
from pyro_mcp.workspaces.seeding import manifest
from pyro_mcp.workspaces.seeding.entries import Entry, Unseedable, open_plain
from pyro_mcp.workspaces.seeding.manifest import Item, Manifest
from pyro_mcp.workspaces.seeding.push import PushChange, PushPlan, plan_push
from pyro_mcp.workspaces.seeding.select import SeedOptions, Selection, select
from pyro_mcp.workspaces.session import Session, Sessions
from pyro_wire import messages
from pyro_wire.messages import Message, MessageError

_TOP = "/workspace"
_BLOCK = 1 << 20
_DEEPEST, _MOST_ENTRIES = 1000, 10_000_000
# Left free on the host whatever is pushed: a push waits there until it is complete.
_SPARE_BYTES = 256 << 20


def push_sync(
    session: Session,
    sessions: Sessions,
    source_path: str,
    *,
    dest: str = _TOP,
    delete: bool = False,
    include_ignored: bool = False,
    include_sensitive: bool = False,
) -> PushReport:
    """Make a directory of the workspace have what a host's directory has now, by the rules of seeding.

    Raises Conflict when somebody changes the same files on either side meanwhile; then nothing happened.
    """
    source = Path(os.path.abspath(source_path))  # noqa: PTH100 - links stay links
    if source.exists() and not source.is_dir():
        raise InvalidRequest(f"{source} is not a directory", hint="`file write` brings a single file.")
    with step(f"looking through {source}"):
        selection = select(source, SeedOptions(include_ignored, include_sensitive))
    below = _below_top(dest)
    had = _Had(session, sessions, below)
    plan = plan_push(
        selection,
        have := _have(session, dest, below, had.seeded),
        delete=delete,
        include_sensitive=include_sensitive,
        base=had.seeded,
        known=sessions.seeds.hashes(source).load(),
    )
    _apply(session, sessions.paths.cache, plan, dest, have)
    overwritten = [path for path in plan.overwritten if not had.pushed_same(path, have.get(path))]
    had.remember(plan, selection)
    return _report(source, dest, plan, selection, overwritten, session)


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


# -- what is there --------------------------------------------------------------------------------------------------------


def _have(session: Session, dest: str, below: bytes | None, seeded: Manifest) -> Manifest:
    """Ask for what the workspace holds. Only what differs from the seed is hashed there: the rest is known."""
    hashed = below is None
    verb = "tree.manifest" if hashed else "tree.list"
    request: dict[str, object] = {"verb": verb, "path": dest, "ignore": [".git"]}
    if not hashed:
        request |= {"depth": _DEEPEST, "limit": _MOST_ENTRIES}
    try:
        found, answer = guest_files.lines(session, request)
    except NotFound:
        return {}
    if answer.get("left_out") or answer.get("more"):
        raise Conflict(
            f"some entries of {dest} cannot be looked at",
            hint="They change at this moment, lie too deep, or are too many.",
        )
    if any(record.get("path") == "" for record in found):
        raise Conflict(f"{dest} is a file in the workspace", hint="Name a directory.")
    if below is None:
        return dict(map(_item, found))
    changed = _changed_hashes(session, below)
    return dict(_item(_with_hash(record, changed, seeded)) for record in found)


def _changed_hashes(session: Session, below: bytes) -> Mapping[bytes, str]:
    request: dict[str, object] = {"verb": "tree.changes", "hash": True, "limit": _MOST_ENTRIES}
    records, answer = guest_files.changes(session, {**request, "paths": [guest_files.guest_path(below)]})
    if answer.get("complete") is not True:
        raise Conflict(
            "some changes of the workspace cannot be looked at", hint="Push again when nothing changes there."
        )
    return {
        record.path[len(below) :]: record.new.sha256
        for record in records
        if record.new is not None and record.new.sha256 is not None
    }


def _with_hash(record: Message, changed: Mapping[bytes, str], seeded: Manifest) -> Message:
    """Add the hash of a file; one that nobody knows counts as different from everything."""
    if record.get("kind") != "file":
        return record
    path = guest_files.name_bytes(str(record.get("path")))
    known = changed.get(path)
    if known is None and path in seeded:
        known = seeded[path].digest.hex()
    return {**record, "sha256": known or ""}


def _item(record: Message) -> tuple[bytes, Item]:
    try:
        path = guest_files.name_bytes(messages.text(record, "path"))
        kind = messages.text(record, "kind")
        mode = messages.integer(record, "mode", low=0, high=0o7777)
        size = messages.integer(record, "size", low=0, high=2**62)
        if kind == "dir":
            return path, Item("directory", mode, 0, 0, b"")
        if kind == "link":
            target = guest_files.name_bytes(messages.text(record, "target"))
            return path, Item("symlink", 0o777, len(target), 0, hashlib.sha256(target).digest())
        if kind == "file":
            return path, Item("file", mode, size, 0, bytes.fromhex(messages.text(record, "sha256")))
    except (MessageError, ValueError) as error:
        raise GuestFailed(
            "the machine described its files in a way that makes no sense", details=str(error)
        ) from error
    # A socket or device is nothing that a host's entry could equal.
    return path, Item("symlink", 0, 0, 0, b"")


class _Had:
    """What of the workspace's files came from the host, by the seed and by the last push: the rest is the workspace's own."""

    def __init__(self, session: Session, sessions: Sessions, below: bytes | None) -> None:
        self._below = below
        self._directory = sessions.directories.of(session.record.id)
        digest = session.record.seed_digest
        self.seeded: Manifest = {}
        if below is not None and digest is not None:
            self.seeded = {
                path[len(below) :]: item
                for path, item in sessions.seeds.manifest(digest).items()
                if path.startswith(below)
            }
        self._pushed = self._load()

    def pushed_same(self, path: bytes, there: Item | None) -> bool:
        """Tell whether what is there is just what an earlier push brought."""
        before = self._pushed.get((self._below or b"") + path) if self._below is not None else None
        return (
            before is not None
            and there is not None
            and (before.kind, before.digest) == (there.kind, there.digest)
        )

    def remember(self, plan: PushPlan, selection: Selection) -> None:
        """Remember what was pushed. When that is lost, a later push only names more as overwritten."""
        if self._below is None or not plan.changes:
            return
        brought = dict(self._pushed)
        for change in plan.changes:
            if change.action in ("file", "symlink"):
                brought[self._below + change.path] = Item(change.action, 0, 0, 0, change.digest)
        private_directory(self._directory)
        unfinished = self._file.with_suffix(f".{os.getpid()}")
        unfinished.write_bytes(manifest.encode(brought.items()))
        unfinished.replace(self._file)

    @property
    def _file(self) -> Path:
        return self._directory / "pushed"

    def _load(self) -> Mapping[bytes, Item]:
        try:
            return manifest.decode(self._file.read_bytes())
        except (OSError, ValueError, KeyError):
            return {}


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
    gone = {change.path for change in plan.changes if change.action == "remove"}
    prefix = guest_files.name_bytes(dest).rstrip(b"/") + b"/"
    with step(f"pushing {len(plan.changes)} changes"):
        guest_files.apply(
            session, (_step(change, prefix, have, gone) for change in plan.changes), spool=spool
        )


def _step(change: PushChange, prefix: bytes, have: Manifest, gone: set[bytes]) -> Step:
    path, entry = prefix + change.path, change.entry
    expect = None if _is_replaced(change, gone) else _expectation(have.get(change.path))
    if change.action == "remove":
        return guest_files.remove_step(path, recursive=True, expect=expect)
    assert entry is not None
    if change.action == "directory":
        return guest_files.mkdir_step(path, mode=entry.mode)
    if change.action == "mode":
        return guest_files.chmod_step(path, mode=entry.mode)
    if change.action == "symlink":
        return guest_files.link_step(path, entry.target, expect=expect)
    return guest_files.write_stream_step(
        path, _pieces(change, entry), size=entry.size, mode=entry.mode, expect=expect
    )


def _is_replaced(change: PushChange, gone: set[bytes]) -> bool:
    """Tell whether another step takes away what is there, or what it lies in; that one has the expectation."""
    if change.action == "remove":
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


def _report(
    source: Path, dest: str, plan: PushPlan, selection: Selection, overwritten: list[bytes], session: Session
) -> PushReport:
    removed = sum(change.action == "remove" for change in plan.changes)
    changed = len(plan.changes) - removed
    session.note(source=str(source), changed=changed, removed=removed, bytes=plan.size)
    found = selection.findings
    listed = PushReport.LISTED
    return PushReport(
        source=str(source),
        dest=dest,
        changed=changed,
        removed=removed,
        unchanged=plan.unchanged,
        bytes=plan.size,
        overwritten=tuple(map(display_name, overwritten[:listed])),
        overwritten_count=len(overwritten),
        withheld=tuple(map(display_name, sorted(found.withheld)[:listed])),
        withheld_count=len(found.withheld),
        skipped=tuple(
            SkippedPath(path=display_name(path), reason=reason)
            for path, reason in sorted(found.skipped)[:listed]
        ),
        skipped_count=len(found.skipped) + found.skipped_uncounted,
    )
