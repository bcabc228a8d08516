"""Choose paths the way git's path filters do."""

import re
from collections.abc import Callable, Sequence

from pyro_mcp.errors import InvalidRequest

_GLOB = re.compile(rb"[*?\[]")
_ROOT = b"/workspace"
_EXCLUDES = re.compile(rb":(?:[!^]|\(exclude\))")
_MAGIC = re.compile(rb":[^\w.-]")


def path_filter(patterns: Sequence[bytes]) -> Callable[[bytes], bool]:
    """Make a test of a path: it is one of `patterns`, is below one, or fits one that has wildcards. With none, all pass.

    As in git, `*` matches across slashes; `dir/*.py` finds `dir/deep/x.py` too. `:!PATTERN` leaves out what fits it.
    """
    wanted, unwanted = parted(patterns)
    tests, others = [_test(pattern) for pattern in wanted], [_test(pattern) for pattern in unwanted]
    return lambda path: (
        (not tests or any(test(path) for test in tests)) and not any(test(path) for test in others)
    )


def parted(patterns: Sequence[bytes]) -> tuple[list[bytes], list[bytes]]:
    """Part patterns into those of what is wanted and those of what is not, as git writes them; its other magic is refused."""
    wanted: list[bytes] = []
    unwanted: list[bytes] = []
    for pattern in patterns:
        if found := _EXCLUDES.match(pattern):
            unwanted.append(pattern[found.end() :])
        elif _MAGIC.match(pattern):
            shown = pattern.decode(errors="replace")
            raise InvalidRequest(
                f'"{shown}" is no path and no glob',
                hint='Of git\'s pathspecs only ":!PATTERN" is known, which leaves out what fits. A file of that name is "./:…".',
            )
        else:
            wanted.append(pattern)
    return wanted, unwanted


def plain_paths(patterns: Sequence[bytes]) -> list[bytes]:
    """Give the paths outside which nothing passes; none when that cannot be said, because of a wildcard or the root."""
    names = [_normal(pattern) for pattern in parted(patterns)[0]]
    return [] if any(not name or _GLOB.search(name) for name in names) else names


def _test(pattern: bytes) -> Callable[[bytes], bool]:
    name = _normal(pattern)
    if not name:
        return lambda _: True
    below = name + b"/"
    if not _GLOB.search(name):
        return lambda path: path == name or path.startswith(below)
    fits = re.compile(_translate(name), re.DOTALL).match
    return lambda path: path == name or path.startswith(below) or fits(path) is not None


def _normal(pattern: bytes) -> bytes:
    """Count a path from the workspace's root however it is spelled."""
    text = pattern
    if text == _ROOT or text.startswith(_ROOT + b"/"):
        text = text[len(_ROOT) :].lstrip(b"/")
    parts = [part for part in text.split(b"/") if part not in (b"", b".")]
    if text.startswith(b"/") or b".." in parts or b"\0" in text:
        shown = pattern.decode(errors="replace")
        raise InvalidRequest(
            f'"{shown}" is no path below the workspace', hint="Paths count from the workspace's root."
        )
    return b"/".join(parts)


def _translate(glob: bytes) -> bytes:
    """Turn a glob into a regular expression; what matches may be a directory above the path, too."""
    out = []
    at = 0
    while at < len(glob):
        found = re.match(rb"\[(!|\^)?(\]?[^\]]*)\]", glob[at:])
        if glob[at : at + 1] == b"*":
            stars = len(glob) - at - len(glob[at:].lstrip(b"*"))
            at += stars
            # `**/` also stands for no directory at all.
            whole = stars > 1 and glob[at : at + 1] == b"/"
            at += whole
            out.append(b"(?:.*/)?" if whole else b".*")
            continue
        if found:
            out.append(b"[" + (b"^" if found.group(1) else b"") + _set(found.group(2)) + b"]")
            at += found.end()
            continue
        out.append(b"." if glob[at : at + 1] == b"?" else re.escape(glob[at : at + 1]))
        at += 1
    return b"".join(out) + rb"(?:/.*)?\Z"


def _set(members: bytes) -> bytes:
    """Escape a set of characters for a regular expression; ranges stay."""
    return re.sub(rb"[\\\[\]^&~|]", lambda found: b"\\" + found.group(), members)
