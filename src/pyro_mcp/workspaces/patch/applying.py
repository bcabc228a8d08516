"""Apply a patch to a workspace: worked out on the host, carried out in one all-or-nothing change."""

from __future__ import annotations

from pyro_mcp.errors import LimitReached
from pyro_mcp.models.names import display_name
from pyro_mcp.models.patch import EntryType, PatchReport
from pyro_mcp.workspaces.files import guest_changes, guest_files
from pyro_mcp.workspaces.files.guest_changes import Step
from pyro_mcp.workspaces.files.guest_files import GuestFile
from pyro_mcp.workspaces.patch.planning.plan import PatchPlan, Write, plan_patch
from pyro_mcp.workspaces.patch.planning.resolve import Strip
from pyro_mcp.workspaces.patch.planning.tree import FileState
from pyro_mcp.workspaces.patch.reading.parse import parse_patch
from pyro_mcp.workspaces.session import Session
from pyro_wire.messages import Message

_EXECUTABLE_BITS = 0o111
# A file is in memory while it is patched.
_LARGEST_FILE = 64 << 20


def apply_patch(session: Session, patch: str | bytes, *, dry_run: bool, strip: Strip) -> PatchReport:
    """Apply a git diff, a unified diff or a `*** Begin Patch` envelope; raises Conflict unless every hunk fits.

    A dry run never raises for hunks that do not fit: the report says which.
    """
    parsed = parse_patch(guest_files.text_bytes(patch, "the patch") if isinstance(patch, str) else patch)
    files = _Files(session)
    plan = plan_patch(parsed, files.read, strip=strip, dry_run=dry_run)
    session.note(files=[file.path for file in plan.report.files][:20], dry_run=dry_run)
    if not dry_run:
        plan.require_applicable()
        guest_changes.apply(session, _steps(plan, files))
    return session.shown(plan.report)


class _Files:
    """The files that a patch meets, each read once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.found: dict[bytes, GuestFile] = {}

    def read(self, path: bytes) -> FileState | None:
        found = guest_files.stat(self._session, path)
        if found.kind == "file":
            if found.size > _LARGEST_FILE:
                raise LimitReached(
                    f"{display_name(path)} has {found.size >> 20} MiB, too many to patch",
                    hint="Change it with a command.",
                )
            found = guest_files.read(self._session, path, limit=_LARGEST_FILE)
        self.found[path] = found
        if found.kind == "absent":
            return None
        if found.kind == "dir":
            return FileState("directory")
        if found.kind == "link":
            return FileState("symlink", guest_files.name_bytes(found.target or ""))
        if found.kind == "other":
            return FileState("other")
        return FileState("executable" if found.mode & _EXECUTABLE_BITS else "regular", found.content)

    def expectation(self, path: bytes) -> Message | None:
        """What must still be there when the change is carried out: what the patch was worked out on."""
        found = self.found.get(path)
        if found is None or found.kind not in ("file", "absent"):
            return None
        return {"absent": True} if found.kind == "absent" else {"sha256": found.sha256}


def _steps(plan: PatchPlan, files: _Files) -> list[Step]:
    removals = [guest_changes.remove_step(path, expect=files.expectation(path)) for path in plan.removals]
    return removals + _emptied(plan) + [_write(write, files) for write in plan.writes]


def _emptied(plan: PatchPlan) -> list[Step]:
    """Remove directories, innermost first, that are left empty and that nothing is written into: git keeps none of them."""
    used = {above for write in plan.writes for above in _above(write.path)}
    left = {above for path in plan.removals for above in _above(path)} - used
    innermost_first = sorted(left, key=lambda path: (-path.count(b"/"), path))
    return [guest_changes.remove_if_empty_step(path) for path in innermost_first]


def _above(path: bytes) -> list[bytes]:
    parts = path.split(b"/")
    return [b"/".join(parts[:depth]) for depth in range(1, len(parts))]


def _write(write: Write, files: _Files) -> Step:
    if write.type == "symlink":
        return guest_changes.link_step(write.path, write.content)
    kept = files.found[write.permissions_of] if write.permissions_of is not None else None
    mode = _mode(write.type, kept)
    return guest_changes.write_step(
        write.path, write.content, mode=mode, expect=files.expectation(write.path)
    )


def _mode(type_: EntryType, kept: GuestFile | None) -> int:
    """Git knows of a mode only whether it is executable: the rest stays as it was."""
    before = kept.mode & 0o7777 if kept is not None else 0o644
    if type_ == "executable":
        return before | ((before & 0o444) >> 2)
    return before & ~_EXECUTABLE_BITS
