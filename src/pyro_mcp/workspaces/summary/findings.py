"""Find in a change what a reviewer should look at: facts, no verdicts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from posixpath import dirname, join, normpath

from pyro_mcp.models.names import display_name
from pyro_mcp.models.summary import Finding
from pyro_mcp.workspaces.diff.entries import Change, Entry
from pyro_mcp.workspaces.diff.report import DiffedFile, TreeDiff
from pyro_mcp.workspaces.export.executing import executing_path
from pyro_mcp.workspaces.seeding.manifest import Manifest
from pyro_mcp.workspaces.summary.kinds import kind_of

_LARGE_BYTES = 1 << 20
_GIT_SHOWN = 20
_NEW, _IN_SEED = "added or changed since the baseline", "there from the beginning"
_BY_GIT = "git executes what lies there, and no diff shows it"
_TEST = re.compile(
    rb"^\s*(?:async\s+)?def\s+test\w*|^\s*func\s+Test\w+|^\s*#\[(?:\w+::)?test\]|^\s*@Test\b|^\s*(?:it|test)(?:\.each\(.*\))?\s*\("
)
_SKIP = re.compile(
    rb"@(?:pytest\.mark|unittest)\.(?:skip|xfail|expectedFailure)|\bpytest\.(?:skip|xfail)\(|\bself\.skipTest\(|\b(?:it|test|describe)\."
    rb"(?:skip|todo)\b|^\s*x(?:it|test|describe)\s*\(|\bt\.Skip(?:Now|f)?\(|#\[ignore\b|@(?:Disabled|Ignore)\b"
)
_ASSERT = re.compile(rb"\bassert\w*\b|\bexpect\s*\(|\bt\.(?:Error|Fatal)f?\(|\bshould\b")


def findings_of(tree: TreeDiff, changes: Sequence[Change], not_shown: int) -> tuple[Finding, ...]:
    """Give what is to be looked at, in the order of the paths."""
    by_path = {change.path: change for change in changes}
    found = list(chain.from_iterable(_of_file(file, by_path.get(file.path)) for file in tree.files))
    if not_shown:
        detail = f"{not_shown} changed directories, sockets or devices are in no diff"
        found.append(Finding(reason="not-shown", path="", detail=detail))
    return tuple(found)


def below_git(changed: Iterable[bytes], seeded: Manifest) -> tuple[Finding, ...]:
    """Give the programs below any `.git`, new ones and those that came with the seed: git runs them, and no diff shows them."""
    brought = {
        path: _IN_SEED
        for path, item in seeded.items()
        if b".git" in path.split(b"/")[:-1]
        and item.kind == "file"
        and item.mode & 0o111
        and not path.endswith(b".sample")
    }
    found = sorted({**brought, **dict.fromkeys(changed, _NEW)}.items())
    return tuple(
        Finding(reason="executes-on-host", path=display_name(path), detail=f"{detail}; {_BY_GIT}")
        for path, detail in found[:_GIT_SHOWN]
    )


def _of_file(file: DiffedFile, change: Change | None) -> Iterator[Finding]:
    path, status = display_name(file.path), file.record.status
    kind = kind_of(display_name(file.old_path or file.path))
    if kind == "test":
        yield from _of_tests(path, file)
    if kind == "dependencies":
        yield Finding(reason="dependencies-changed", path=path, detail=f"{status} dependency or lock file")
    if status != "deleted" and executing_path(file.path):
        yield Finding(
            reason="executes-on-host", path=path, detail="tools on the host execute what lies at such a path"
        )
    if file.record.new_mode == "100755" and file.record.old_mode not in (None, "100755"):
        yield Finding(reason="made-executable", path=path, detail=f"mode was {file.record.old_mode}")
    if file.new_size > _LARGE_BYTES:
        what = "binary" if file.record.binary else "text"
        yield Finding(reason="large-file", path=path, detail=f"{file.new_size} bytes of {what}")
    if change and change.new and (target := _outward(file.path, change.new)):
        yield Finding(reason="link-leads-out", path=path, detail=f"to {target}")


def _of_tests(path: str, file: DiffedFile) -> Iterator[Finding]:
    if file.record.status == "deleted":
        yield Finding(reason="test-deleted", path=path, detail=f"{file.record.deletions} lines of tests")
        return
    added, removed = _lines(file.patch, b"+"), _lines(file.patch, b"-")
    if (fewer := _count(_TEST, removed) - _count(_TEST, added)) > 0:
        yield Finding(reason="tests-removed", path=path, detail=f"{fewer} fewer test functions")
    if (more := _count(_SKIP, added) - _count(_SKIP, removed)) > 0:
        yield Finding(
            reason="test-skipped", path=path, detail=f"{more} more marked as skipped or expected to fail"
        )
    if (fewer := _count(_ASSERT, removed) - _count(_ASSERT, added)) > 0:
        yield Finding(reason="assertions-removed", path=path, detail=f"{fewer} fewer lines with an assertion")


def _lines(patch: bytes, sign: bytes) -> list[bytes]:
    """The added or removed lines of a patch, without its header."""
    _, _, hunks = patch.partition(b"\n@@ ")
    return [line[1:] for line in hunks.split(b"\n") if line.startswith(sign)]


def _count(pattern: re.Pattern[bytes], lines: Sequence[bytes]) -> int:
    return sum(1 for line in lines if pattern.search(line))


def _outward(path: bytes, entry: Entry) -> str | None:
    """Where a link leads, if that is outside of the project."""
    if entry.type != "symlink" or not isinstance(entry.content, bytes):
        return None
    target = display_name(entry.content)
    reached = normpath(join("/workspace", dirname(display_name(path)), target))
    return None if reached == "/workspace" or reached.startswith("/workspace/") else target
