"""Copy out of a workspace to the host: files, a patch, or a branch."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path

from pyro_mcp.errors import Conflict, GuestFailed, InvalidRequest, LimitReached, NotFound
from pyro_mcp.models.export import ExportFormat, ExportReport, LeftOut
from pyro_mcp.models.names import display_name
from pyro_mcp.workspaces.diff import ignored
from pyro_mcp.workspaces.diff.baseline import Changed, changed_files, compare
from pyro_mcp.workspaces.diff.ignored import Ignored
from pyro_mcp.workspaces.diff.report import TreeDiff
from pyro_mcp.workspaces.export.below import told_full
from pyro_mcp.workspaces.export.committing import (
    Branch,
    check_branch,
    check_commit,
    identity,
    open_repository,
)
from pyro_mcp.workspaces.export.copying import copy_out
from pyro_mcp.workspaces.export.executing import refuse_executing
from pyro_mcp.workspaces.export.landing import Confirm, Landing
from pyro_mcp.workspaces.files import guest_files
from pyro_mcp.workspaces.registry.seed_report import git_facts, skipped_paths
from pyro_mcp.workspaces.secrets.refusing import refuse_secrets, secrets_in
from pyro_mcp.workspaces.seeding.gitindex import IndexUnreadable, tracked_paths
from pyro_mcp.workspaces.seeding.manifest import Manifest
from pyro_mcp.workspaces.session import Session, Sessions

_TOP = "/workspace"
# What was not committed when the workspace was seeded is read into memory file by file, and in sum no more than this.
_MOST_DIRTY = 1 << 30
_LARGEST_INDEX = 256 << 20
_SHA1 = 20


def export_workspace(
    session: Session,
    sessions: Sessions,
    *,
    path: str = _TOP,
    output_path: str | None = None,
    format: ExportFormat = "files",
    branch_name: str | None = None,
    repository_path: str | None = None,
    overwrite: bool = False,
    allow_paths: Sequence[str] = (),
    confirm: Confirm | None = None,
) -> ExportReport:
    """Write files or a patch to `output_path`, or make a branch in the repository that the seed came from.

    `path` narrows all three. Raises PolicyDenied for paths that the host would execute, unless `allow_paths` names them;
    Conflict when something would be overwritten that must not be. `confirm` is told where `output_path` really is, once that
    is certain, and may raise.
    """
    session.note(format=format)
    if format == "branch":
        return _export_branch(
            session,
            sessions,
            path,
            branch_name or f"pyro/{session.record.name or session.record.id}",
            repository_path,
            overwrite=overwrite,
            allow_paths=allow_paths,
        )
    if output_path is None:
        raise InvalidRequest(f"an export of {format} needs a place", hint="Give <<output_path>>.")
    output = Path(os.path.abspath(output_path))  # noqa: PTH100 - links stay links
    if format == "patch":
        return _export_patch(
            session, path, output, overwrite=overwrite, allow_paths=allow_paths, confirm=confirm
        )
    copied = copy_out(session, path, output, overwrite=overwrite, allow_paths=allow_paths, confirm=confirm)
    session.note(files=copied.files, bytes=copied.size, output=str(output))
    return ExportReport(
        format="files",
        files=copied.files,
        bytes=copied.size,
        output_path=str(output),
        left_out=session.shown(_listed(copied.left_out)),
        left_out_count=len(copied.left_out),
    )


def _listed(left_out: dict[bytes, str]) -> tuple[LeftOut, ...]:
    chosen = sorted(left_out.items())[: ExportReport.LISTED]
    return tuple(LeftOut(path=display_name(path), reason=reason) for path, reason in chosen)


def _changed(session: Session, path: str, allow_paths: Sequence[str]) -> tuple[Changed, TreeDiff]:
    """Fetch what is to be exported, all of it or an error."""
    changed = changed_files(session, paths=() if path.rstrip("/") == _TOP else (path,))
    tree = compare(changed)
    if changed.unmatched:
        raise NotFound(f"there is no {path} in the workspace, before or now")
    if not tree.files:
        raise Conflict(
            "nothing changed in the workspace", hint="`<<workspace_diff>>` shows what would be exported."
        )
    if tree.left_out:
        raise LimitReached(
            f"{display_name(tree.left_out[0])} is too large for a patch or a commit",
            details="\n".join(map(display_name, tree.left_out[:20])),
            hint="Export such files with <<format=files>>; then remove them, or have git ignore them.",
        )
    refuse_executing([change.path for change in changed.changes if change.new], b"/", allow_paths)
    refuse_secrets(secrets_in(session.redactor, tree, changed.changes), allowed=allow_paths)
    return changed, tree


# -- a patch --------------------------------------------------------------------------------------------------------------


def _export_patch(
    session: Session,
    path: str,
    output: Path,
    *,
    overwrite: bool,
    allow_paths: Sequence[str],
    confirm: Confirm | None,
) -> ExportReport:
    changed, tree = _changed(session, path, allow_paths)
    patch = tree.patch()
    with closing(Landing(output, overwrite=overwrite, confirm=confirm)) as landing:
        refuse_executing([b""], landing.real, allow_paths)
        landing.require_free(directory=False)
        with told_full(), landing.file(0o644) as descriptor, os.fdopen(os.dup(descriptor), "wb") as file:
            file.write(patch)
        landing.land_file()
    session.note(files=len(tree.files), bytes=len(patch), output=str(output))
    return ExportReport(
        format="patch",
        files=len(tree.files),
        bytes=len(patch),
        output_path=str(output),
        ignored=changed.ignored,
        generated=changed.generated,
    )


# -- a branch -------------------------------------------------------------------------------------------------------------


def _export_branch(
    session: Session,
    sessions: Sessions,
    path: str,
    name: str,
    repository_path: str | None,
    *,
    overwrite: bool,
    allow_paths: Sequence[str],
) -> ExportReport:
    facts = git_facts(session.record)
    if facts is None:
        raise InvalidRequest(
            "the workspace was not seeded from a git repository", hint="Export files or a patch."
        )
    repository = open_repository(Path(repository_path or facts.repository))
    check_branch(repository, name, overwrite=overwrite)
    check_commit(repository, facts.commit)
    identity(repository)
    changed, _ = _changed(session, path, allow_paths)
    prefix = facts.subdirectory.encode("utf-8", "surrogateescape")
    branch = Branch(repository, facts.commit, prefix + b"/" if prefix else b"")
    dirty = _commit_seed(session, sessions, branch, changed, allow_paths)
    branch.apply(changed.changes)
    commit = branch.commit(_message(session))
    branch.create(name, overwrite=overwrite)
    session.note(files=len(changed.changes), branch=name, commit=commit)
    return ExportReport(
        format="branch",
        files=len(changed.changes),
        repository=repository.workdir or repository.path,
        branch=name,
        base=facts.commit,
        dirty=dirty,
        commit=commit,
        ignored=changed.ignored,
        generated=changed.generated,
    )


def _commit_seed(
    session: Session, sessions: Sessions, branch: Branch, since: Changed, allow_paths: Sequence[str]
) -> str | None:
    """Commit what was not committed when the workspace was seeded; None when there was nothing of that."""
    digest = session.record.seed_digest
    seed: Manifest = sessions.seeds.manifest(digest) if digest is not None else {}
    found = branch.difference(seed)
    ignores = Ignored(ignored.seeded(session), prefix=branch.prefix)
    staged = _staged_names(session)
    changed = [path for path in found.changed if branch.tracks(path) or path in staged or path not in ignores]
    size = sum(seed[path].size for path in changed)
    if size > _MOST_DIRTY:
        raise LimitReached(
            f"the seed had {size >> 20} MiB that were not committed", hint="Export files, or a patch."
        )
    for path in _truly_removed(session, found.removed):
        branch.remove(path)
    links = {
        change.path: change.old.read()
        for change in since.changes
        if change.old is not None and change.old.type == "symlink"
    }
    for path in changed:
        item = seed[path]
        content = (
            _seeded_link(session, path, links) if item.kind == "symlink" else _seeded_file(session, path)
        )
        if hashlib.sha256(content).digest() != item.digest:
            raise GuestFailed(f"the machine gave another {display_name(path)} than the one that was seeded")
        refuse_secrets({path: session.redactor.names_in([content])}, allowed=allow_paths)
        branch.put(path, content, link=item.kind == "symlink", mode=item.mode)
    return branch.commit("Changes that were not committed when the workspace was seeded\n")


def _staged_names(session: Session) -> set[bytes]:
    """What was added when the workspace was seeded, though git may ignore it and no commit has it yet."""
    with suppress(NotFound, InvalidRequest, IndexUnreadable):
        index = guest_files.read(session, ".git/index", limit=_LARGEST_INDEX, layer="seed").content
        return {path for path, _ in tracked_paths(index, _SHA1)}
    return set()


def _truly_removed(session: Session, removed: Sequence[bytes]) -> list[bytes]:
    """What the seed lacks because it could not be read is not deleted."""
    skipped, whole = skipped_paths(session.record)
    if removed and not whole:
        raise Conflict(
            "the seed lacks more files than its report names, so what was deleted cannot be told",
            hint="Export a patch.",
        )
    return [path for path in removed if display_name(path) not in skipped]


def _seeded_file(session: Session, path: bytes) -> bytes:
    return guest_files.read(session, path, layer="seed").content


def _seeded_link(session: Session, path: bytes, changed: Mapping[bytes, bytes]) -> bytes:
    if path in changed:
        return changed[path]
    return guest_files.name_bytes(guest_files.stat(session, path).target or "")


def _message(session: Session) -> str:
    return f"Changes of the workspace {session.record.name or session.record.id}\n"
