"""Work out what a patch would do, all of it or nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pyro_mcp.errors import Conflict
from pyro_mcp.models.names import display_name, exact_name
from pyro_mcp.models.patch import EntryType, PatchedFile, PatchReport
from pyro_mcp.workspaces.patch.planning.explain import explain_rejection, next_step
from pyro_mcp.workspaces.patch.planning.resolve import Strip, Target, resolve_targets
from pyro_mcp.workspaces.patch.planning.section import SectionResult, apply_section
from pyro_mcp.workspaces.patch.planning.tree import Read, Refused, Tree, check_places
from pyro_mcp.workspaces.patch.reading.document import ParsedPatch


@dataclass(frozen=True, slots=True)
class Write:
    """A file to write, whole."""

    path: bytes
    type: EntryType
    content: bytes
    """For a symlink, its target."""
    permissions_of: bytes | None
    """The path, as the tree is before the patch, whose permissions to keep but for the executable bits; None for a new file."""


@dataclass(frozen=True, slots=True)
class PatchPlan:
    """What to do, in this order: removals (with the directories they leave empty), then writes. Nothing when rejected."""

    report: PatchReport
    removals: tuple[bytes, ...] = ()
    writes: tuple[Write, ...] = ()

    def require_applicable(self) -> None:
        """Raise Conflict, with what to look at, unless every hunk of every file fits."""
        if not self.report.applicable:
            brief, details = explain_rejection(self.report)
            raise Conflict(
                brief,
                details=details,
                hint=f"Nothing was changed. {next_step(self.report)}",
            )


def plan_patch(patch: ParsedPatch, read: Read, *, strip: Strip = "auto", dry_run: bool = False) -> PatchPlan:
    """Work out what the patch does to the files that `read` gives; nothing is written.

    A path outside the workspace or inside .git raises InvalidRequest; all else that does not fit is told in the report.
    """
    tree = Tree(read)
    targets = resolve_targets(patch.sections, lambda path: tree.original(path) is not None, strip)
    results: list[tuple[Target, PatchedFile]] = []
    for commit in _commits(targets, tree):
        tree.begin_commit(one.old for one in commit if one.old and one.section.action in ("delete", "rename"))
        results += [(target, _plan_section(target, tree)) for target in commit]
    files = _refuse_misplaced(results, check_places(tree))
    applicable = all(file.applied for file in files)
    report = PatchReport(
        applicable=applicable, dry_run=dry_run, files=tuple(files), tolerances=patch.tolerances
    )
    return PatchPlan(report, *_steps(tree)) if applicable else PatchPlan(report)


def _commits(targets: Sequence[Target], tree: Tree) -> list[list[Target]]:
    """Part the sections where a further diff begins that builds on those before.

    Text between them may say so; or a file is renamed that was changed before, which one diff would have told in one section.
    """
    commits: list[list[Target]] = [[]]
    settled: set[bytes] = set()
    for target in targets:
        last = commits[-1]
        if last and (
            target.section.commit != last[-1].section.commit
            or (target.section.action == "rename" and target.old in settled)
        ):
            commits.append([])
            settled = set()
        commits[-1].append(target)
        action = target.section.action
        if action == "modify" or (action == "add" and tree.original(target.path) is None):
            settled.add(target.path)
    return commits


def _refuse_misplaced(
    results: Sequence[tuple[Target, PatchedFile]], wrong: dict[bytes, str]
) -> list[PatchedFile]:
    return [
        replace(file, applied=False, type=None, reason=wrong[target.path])
        if file.applied and target.path in wrong
        else file
        for target, file in results
    ]


def _steps(tree: Tree) -> tuple[tuple[bytes, ...], tuple[Write, ...]]:
    outcome = sorted(tree.outcome().items())
    removals = tuple(path for path, state in outcome if state is None)
    writes = []
    for path, state in outcome:
        if state is not None and state.type != "directory" and state.type != "other":
            source = tree.moved.get(path, path)
            before = tree.original(source)
            kept = source if before is not None and before.type in ("regular", "executable") else None
            writes.append(Write(path, state.type, state.content, kept))
    return removals, tuple(writes)


def _plan_section(target: Target, tree: Tree) -> PatchedFile:
    result = SectionResult(notes=list(target.tolerances))
    reason = None
    try:
        apply_section(target, tree, result)
    except Refused as refused:
        reason = str(refused)
    section = target.section
    moved = section.action in ("rename", "copy")
    return PatchedFile(
        path=display_name(target.path),
        path_bytes=exact_name(target.path),
        old_path=display_name(target.old) if moved and target.old else None,
        action=section.action,
        applied=reason is None,
        type=result.type if reason is None else None,
        insertions=sum(hunk.count("+") for hunk in section.hunks),
        deletions=sum(hunk.count("-") for hunk in section.hunks),
        hunks=result.hunks,
        tolerances=tuple(result.notes),
        reason=reason,
    )
