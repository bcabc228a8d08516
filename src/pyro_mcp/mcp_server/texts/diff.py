"""Changes as a model reads them: all files that changed, and of the patch as much as there is room for."""

import json
from collections.abc import Iterator, Sequence

from pyro_mcp.mcp_server.texts.answers import count_of
from pyro_mcp.models.diff import FileDiff, WorkspaceDiff
from pyro_mcp.models.export import ExportReport
from pyro_mcp.models.summary import WorkspaceSummary

# Of a patch that has to be cut this much is the list of the files: who knows them can ask for each.
_OVERVIEW = 6_000
_LEADS_ON = 4_500  # the last line, with a path in it, which can have 4,096 characters
_MOST_UNMATCHED = 10


def diff_text(diff: WorkspaceDiff, most: int | None = None) -> str:
    """How much changed, then the change in the form asked for; what has no room in `most` characters is told and led to."""
    head = "\n".join(_head(diff))
    shown = diff.patch or diff.stat or diff.name_status or "\n".join(map(_changed, diff.files))
    text = f"{head}\n{shown}".rstrip()
    if most is None or len(text) <= most:
        return text
    if diff.patch:
        return "\n".join([head, *_cut_patch(diff, diff.patch, most - len(head))])
    return f"{head}\n{overview(diff.files, most - len(head) - 1)}"


def unshown(found: WorkspaceDiff | WorkspaceSummary | ExportReport) -> list[str]:
    """How many new files are left out, by the reason."""
    ignored = [f"{count_of(found.ignored, 'file')} that git ignores"] if found.ignored else []
    return ignored + ([count_of(found.generated, "generated file")] if found.generated else [])


def overview(files: Sequence[FileDiff], room: int) -> str:
    """A line for each changed file, or where that is too long for each directory, as deep as there is room for."""
    text = "\n".join(map(_changed, files))
    depth = max((file.path.count("/") for file in files), default=0)
    while len(text) > room and depth > 0:
        text = "\n".join(_folded(files, depth))
        depth -= 1
    if len(text) <= room:
        return text
    kept = text[: text.rfind("\n", 0, max(room - 40, 1)) + 1]
    return f"{kept}and {len(text.splitlines()) - len(kept.splitlines()):,} more such lines"


def _head(diff: WorkspaceDiff) -> Iterator[str]:
    hidden = ", and ".join(unshown(diff))
    if diff.files:
        more = f", and {hidden}; include_ignored shows them" if hidden else ""
        yield f"{count_of(len(diff.files), 'file')} changed, +{diff.insertions} -{diff.deletions}{more}"
    elif hidden:
        yield f"Nothing else is changed, only {hidden}; include_ignored shows them."
    elif not diff.unmatched:
        yield "Nothing is changed."
    if diff.unmatched:
        names = ", ".join(diff.unmatched[:_MOST_UNMATCHED])
        yield f"No such path, before or now: {names}"


def _cut_patch(diff: WorkspaceDiff, patch: str, room: int) -> Iterator[str]:
    files = overview(diff.files, min(_OVERVIEW, room // 3))
    room -= len(files) + _LEADS_ON
    end = patch.rfind("\n", 0, room) + 1
    kept = patch[: end if end > room // 2 else room]
    yield from (files, "---", kept.rstrip("\n"), "---")
    # The file that is cut, or else the first that is missing: nothing but a header begins a line so.
    number = f"\n{patch[: len(kept) + 12]}".count("\ndiff --git ")
    path = json.dumps(diff.files[min(number, len(diff.files)) - 1].path, ensure_ascii=False)
    how = (
        f"give paths=[{path}] for one file."
        if len(diff.files) > 1
        else "workspace_export with format=patch has all of it."
    )
    yield f"Cut at {len(kept):,} of {len(patch):,} characters: {how}"


def _folded(files: Sequence[FileDiff], depth: int) -> Iterator[str]:
    """A line for each directory so deep with all that is below it; files above that are themselves."""
    groups: dict[str, list[FileDiff]] = {}
    for file in files:
        parts = file.path.split("/")
        key = "/".join(parts[:depth]) + "/" if len(parts) > depth else file.path
        groups.setdefault(key, []).append(file)
    for name, found in groups.items():
        if len(found) == 1:
            yield _changed(found[0])
        else:
            plus, minus = (sum(getattr(file, kind) for file in found) for kind in ("insertions", "deletions"))
            yield f"{count_of(len(found), 'file')} below {name} +{plus} -{minus}"


def _changed(file: FileDiff) -> str:
    moved = f"{file.old_path} -> " if file.old_path else ""
    return f"{file.status} {moved}{file.path} +{file.insertions} -{file.deletions}"
