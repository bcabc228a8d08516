"""Which new files of a workspace git would ignore, by the ignore files that lie beside them."""

from __future__ import annotations

from collections.abc import Callable

from pyro_mcp.errors import InvalidRequest, NotFound
from pyro_mcp.workspaces.files import guest_files
from pyro_mcp.workspaces.seeding.ignore import Rules
from pyro_mcp.workspaces.seeding.user_excludes import user_excludes
from pyro_mcp.workspaces.session import Session

_IGNORE_FILE = 1 << 20
# Python leaves its bytecode beside every module it imports; not every repository has a rule for it. Any rule of its own
# comes after this one: `!__pycache__/` shows it.
_BYTECODE = b"__pycache__/\n"
# Gives a small file below /workspace, empty when there is none.
Reader = Callable[[bytes], bytes]


class Ignored:
    """Answers for one tree; what is asked of a directory once is remembered, and an ignored one is not looked into.

    `prefix` is where the tree lies within its repository, with a slash, and `above` the rules that come from further up.
    """

    def __init__(self, read: Reader, rules: Rules | None = None, prefix: bytes = b"") -> None:
        self._read = read
        self._prefix = prefix
        own = read(b".git/info/exclude")
        usual = Rules().over(b"", _BYTECODE).over(b"", user_excludes())
        self._top = (rules or usual).over(b"", own)
        self._known: dict[bytes, Rules | None] = {}

    def __contains__(self, path: bytes) -> bool:
        """Whether git ignores a file, or a directory that it lies in."""
        directory = path.rpartition(b"/")[0]
        rules = self._of(directory)
        return rules is None or rules.ignores(self._prefix + path, is_directory=False)

    def _of(self, directory: bytes) -> Rules | None:
        """Give the rules that apply in a directory, None when it is ignored itself."""
        if directory in self._known:
            return self._known[directory]
        above = self._of(directory.rpartition(b"/")[0]) if directory else self._top
        rules = above
        if directory and above is not None and above.ignores(self._prefix + directory, is_directory=True):
            rules = None
        if rules is not None and (
            text := self._read((directory + b"/" if directory else b"") + b".gitignore")
        ):
            rules = rules.over((self._prefix + directory).rstrip(b"/"), text)
        self._known[directory] = rules
        return rules


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
