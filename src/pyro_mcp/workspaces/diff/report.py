"""Compare, and shape the outcome for whoever asked."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pyro_mcp.errors import InvalidRequest
from pyro_mcp.models.diff import DiffFormat, DiffStatus, FileDiff, WorkspaceDiff
from pyro_mcp.models.names import display_name, exact_name
from pyro_mcp.workspaces.diff.compare import Pair, pair_files
from pyro_mcp.workspaces.diff.entries import Change, Entry
from pyro_mcp.workspaces.diff.filters import path_filter
from pyro_mcp.workspaces.diff.render import FilePatch, render_file, render_left_out
from pyro_mcp.workspaces.diff.stat import StatLine, render_stat
from pyro_mcp.workspaces.text.quoting import quote_name

MAX_COMPARED = 64 * 1024 * 1024
"""A file larger than this is told of, but neither read nor compared; both states would be held in memory."""
_LETTERS: dict[DiffStatus, str] = {
    "added": "A",
    "deleted": "D",
    "modified": "M",
    "renamed": "R",
    "type-changed": "T",
}


@dataclass(frozen=True, slots=True)
class DiffedFile:
    """One changed file: what to tell of it, and its part of the patch."""

    path: bytes
    old_path: bytes | None
    record: FileDiff
    patch: bytes
    old_size: int
    new_size: int
    same: bool = False
    """Only the name or mode changed."""


@dataclass(frozen=True, slots=True)
class TreeDiff:
    """All that changed, ordered by path."""

    files: tuple[DiffedFile, ...]

    @property
    def left_out(self) -> tuple[bytes, ...]:
        """Give the paths whose content the patch lacks; unless there are none, it must not be applied or exported."""
        return tuple(file.path for file in self.files if file.record.left_out)

    def patch(self) -> bytes:
        """Give the patch as `git apply` takes it, byte-exact."""
        return b"".join(file.patch for file in self.files)

    def stat(self) -> str:
        """Give what `git diff --stat` prints."""
        return render_stat([_stat_line(file) for file in self.files])

    def name_status(self) -> str:
        """Give what `git diff --name-status` prints."""
        return "".join(_name_status(file) + "\n" for file in self.files)

    def to_model(
        self,
        format: DiffFormat = "patch",
        *,
        ignored: int = 0,
        generated: int = 0,
        not_shown: int = 0,
        unmatched: tuple[str, ...] = (),
    ) -> WorkspaceDiff:
        """Shape the outcome as the caller sees it."""
        records = tuple(file.record for file in self.files)
        patch, exact = _as_text(self.patch()) if format == "patch" else (None, None)
        return WorkspaceDiff(
            files=records,
            insertions=sum(record.insertions for record in records),
            deletions=sum(record.deletions for record in records),
            patch=patch,
            patch_exact=exact is None,
            patch_bytes=exact,
            stat=self.stat() if format == "stat" else None,
            name_status=self.name_status() if format == "name-status" else None,
            ignored=ignored,
            generated=generated,
            not_shown=not_shown,
            unmatched=unmatched,
        )


def diff_trees(changes: Sequence[Change], *, paths: Sequence[bytes] = ()) -> TreeDiff:
    """Compare the two states of each changed path; `paths` narrows by name, directory or glob.

    Only changed paths need to be given, those that turn out the same are dropped. What is in `.git` is never shown.
    """
    wanted = path_filter(paths)
    chosen = [change for change in changes if _is_shown(change.path) and wanted(change.path)]
    if len({change.path for change in chosen}) < len(chosen):
        raise InvalidRequest("the same path is given twice to compare")
    large = [change for change in chosen if _is_large(change.old) or _is_large(change.new)]
    compared = [change for change in chosen if not _is_large(change.old) and not _is_large(change.new)]
    files = [_diffed(pair, render_file(pair)) for pair in pair_files(compared)] if compared else []
    files += [_unread(change) for change in large]
    files.sort(key=lambda file: file.path)
    return TreeDiff(tuple(_join_type_changes(files)))


def _join_type_changes(files: Sequence[DiffedFile]) -> list[DiffedFile]:
    """Tell of a file that turned into a link once; its patch stays two: one that deletes, one that adds."""
    joined: list[DiffedFile] = []
    for file in files:
        last = joined[-1] if joined else None
        if (
            last
            and last.path == file.path
            and last.record.status == "deleted"
            and file.record.status == "added"
        ):
            joined[-1] = _joined(last, file)
        else:
            joined.append(file)
    return joined


def _joined(old: DiffedFile, new: DiffedFile) -> DiffedFile:
    binary = old.record.binary or new.record.binary
    record = replace(
        new.record,
        status="type-changed",
        insertions=0 if binary else new.record.insertions,
        deletions=0 if binary else old.record.deletions,
        old_mode=old.record.old_mode,
        binary=binary,
    )
    return DiffedFile(new.path, None, record, old.patch + new.patch, old.old_size, new.new_size)


def _is_shown(path: bytes) -> bool:
    return b".git" not in path.split(b"/")


def _is_large(entry: Entry | None) -> bool:
    return entry is not None and _size(entry) > MAX_COMPARED


def _size(entry: Entry | None) -> int:
    if entry is None:
        return 0
    if entry.size is not None:
        return entry.size  # also where content was left out because of it
    return len(entry.content) if isinstance(entry.content, bytes) else 0


def _diffed(pair: Pair, text: FilePatch) -> DiffedFile:
    old, new = pair.old, pair.new
    old_path = old.path if old and pair.status == "renamed" else None
    record = FileDiff(
        path=display_name(pair.path),
        path_bytes=exact_name(pair.path),
        old_path=display_name(old_path) if old_path is not None else None,
        old_path_bytes=exact_name(old_path) if old_path is not None else None,
        status=pair.status,
        insertions=text.insertions,
        deletions=text.deletions,
        old_mode=f"{old.mode:o}" if old else None,
        new_mode=f"{new.mode:o}" if new else None,
        binary=text.binary,
        similarity=pair.similarity if pair.status == "renamed" else None,
    )
    old_size, new_size = (len(side.content) if side else 0 for side in (old, new))
    same = old is not None and new is not None and old.id == new.id
    return DiffedFile(pair.path, old_path, record, text.text, old_size, new_size, same=same)


def _unread(change: Change) -> DiffedFile:
    old, new = change.old.mode if change.old else None, change.new.mode if change.new else None
    record = FileDiff(
        path=display_name(change.path),
        path_bytes=exact_name(change.path),
        status="added" if old is None else "deleted" if new is None else "modified",
        old_mode=f"{old:o}" if old else None,
        new_mode=f"{new:o}" if new else None,
        binary=True,
        left_out=f"larger than {MAX_COMPARED // 1024**2} MiB",
    )
    patch = render_left_out(change.path, old, new)
    return DiffedFile(change.path, None, record, patch, _size(change.old), _size(change.new))


def _stat_line(file: DiffedFile) -> StatLine:
    record = file.record
    sizes = (0, 0) if file.same else (file.old_size, file.new_size)
    return StatLine(file.path, file.old_path, record.insertions, record.deletions, record.binary, *sizes)


def _name_status(file: DiffedFile) -> str:
    letter = _LETTERS[file.record.status]
    if file.old_path is None:
        return f"{letter}\t{quote_name(file.path).decode()}"
    old, new = quote_name(file.old_path).decode(), quote_name(file.path).decode()
    return f"{letter}{file.record.similarity or 0:03}\t{old}\t{new}"


def _as_text(patch: bytes) -> tuple[str, bytes | None]:
    """Give the patch as text, and as bytes too where the text does not say all."""
    try:
        return patch.decode(), None
    except UnicodeDecodeError:
        return patch.decode(errors="backslashreplace"), patch
