"""Which new files of a workspace no diff shows: those that git ignores, by the ignore files that lie beside them, and those that
tools generate, by names that we know (generated.gitignore).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Literal

from pyro_mcp.errors import InvalidRequest, NotFound
from pyro_mcp.workspaces.files import guest_files
from pyro_mcp.workspaces.registry.seed_report import git_facts
from pyro_mcp.workspaces.seeding.ignore import Rules, parse
from pyro_mcp.workspaces.seeding.user_excludes import user_excludes
from pyro_mcp.workspaces.session import Session

_IGNORE_FILE = 1 << 20
# Gives a small file below /workspace, empty when there is none.
Reader = Callable[[bytes], bytes]
Reason = Literal["ignored", "generated"]


@cache
def generated() -> Rules:
    """Read what tools leave beside sources, once. Any rule of a project's own comes after these: `!__pycache__/` shows it."""
    return Rules().over(b"", Path(__file__).with_name("generated.gitignore").read_bytes())


class Ignored:
    """Answers for one tree; what is asked of a directory once is remembered, and an ignored one is not looked into.

    `prefix` is where the tree lies within its repository, with a slash, and `rules` those that come from further up. Without
    `git` nothing is ignored, and the ignore files only tell what counts as generated all the same. `seeded` tells of a directory
    whether the seed has it: what is new there is not taken for generated.
    """

    def __init__(
        self,
        read: Reader,
        rules: Rules | None = None,
        prefix: bytes = b"",
        *,
        git: bool = True,
        seeded: Callable[[bytes], bool] = lambda _: False,
    ) -> None:
        self._read = read
        self._prefix = prefix
        self._git = git
        self._seeded = seeded
        top = rules or (generated().over(b"", user_excludes()) if git else generated())
        self._top = top.over(b"", read(b".git/info/exclude")) if git else top
        self._known: dict[bytes, Rules | Reason] = {}

    def __contains__(self, path: bytes) -> bool:
        """Whether a file, or a directory that it lies in, is ignored or generated."""
        return self.reason(path) is not None

    def reason(self, path: bytes) -> Reason | None:
        """Why a diff leaves a new file out."""
        if not self._git and not _looks_generated(path):
            return None
        place = self._of(path.rpartition(b"/")[0])
        return self._judged(place, path, is_directory=False) if isinstance(place, Rules) else place

    def _of(self, directory: bytes) -> Rules | Reason:
        """Give the rules that apply in a directory, or why it is left out itself."""
        if directory not in self._known:
            self._known[directory] = self._within(directory)
        return self._known[directory]

    def _within(self, directory: bytes) -> Rules | Reason:
        above = self._of(directory.rpartition(b"/")[0]) if directory else self._top
        if not isinstance(above, Rules):
            return above
        if directory and (reason := self._judged(above, directory, is_directory=True)):
            return reason
        if directory and _wanted(above, self._prefix + directory):
            above = _own(above) or Rules()
        text = self._read((directory + b"/" if directory else b"") + b".gitignore")
        base = (self._prefix + directory).rstrip(b"/")
        patterns = [pattern for pattern in parse(text) if self._git or pattern.negated]
        return Rules(base, tuple(patterns), above) if patterns else above

    def _judged(self, rules: Rules, path: bytes, *, is_directory: bool) -> Reason | None:
        found = rules.deciding(self._prefix + path, is_directory)
        if found is None or found[1].negated:
            return None
        if found[0] is not generated():
            return "ignored"
        return None if is_directory and self._seeded(path) else "generated"


def _wanted(rules: Rules, directory: bytes) -> bool:
    """Whether a project says of what we know as generated that it is not (`!__pycache__/`): nothing in it is, then."""
    found = rules.deciding(directory, is_directory=True)
    return found is not None and found[1].negated and generated().ignores(directory, is_directory=True)


def _own(rules: Rules | None) -> Rules | None:
    """The same rules without those that we know."""
    if rules is None or rules is generated():
        return None
    return Rules(rules.base, rules.patterns, _own(rules.above))


def _looks_generated(path: bytes) -> bool:
    """Whether the names alone say so: then it is worth looking into ignore files."""
    parts = path.split(b"/")
    above = (b"/".join(parts[:end]) for end in range(1, len(parts)))
    return generated().ignores(path, is_directory=False) or any(
        generated().ignores(directory, is_directory=True) for directory in above
    )


def new_files(session: Session) -> Ignored:
    """Judge what is new in a workspace, as its ignore files are now."""
    git = git_facts(session.record) is not None
    return Ignored(now(session), git=git, seeded=lambda path: _was_seeded(session, path))


def _was_seeded(session: Session, path: bytes) -> bool:
    try:
        guest_files.read(session, path, limit=0, layer="seed")
    except NotFound:
        return False
    except InvalidRequest:  # it is a directory
        return True
    return True


def now(session: Session) -> Reader:
    """Read as things are now; but for what git keeps for itself: the guest must not hide things where no diff shows it."""

    def read(path: bytes) -> bytes:
        return _read(session, path, "seed" if path.startswith(b".git/") else "now")

    return read


def seeded(session: Session) -> Reader:
    """Read as things were seeded."""
    return lambda path: _read(session, path, "seed")


def _read(session: Session, path: bytes, layer: guest_files.Layer) -> bytes:
    try:
        found = guest_files.read(session, path, limit=_IGNORE_FILE, layer=layer)
    except (NotFound, InvalidRequest):  # none, or a directory of that name
        return b""
    # Git follows no link to an ignore file either.
    return found.content if found.target is None and found.size <= _IGNORE_FILE else b""
