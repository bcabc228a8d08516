"""The names in a patch's headers: quoted, prefixed, dated; and which path in the workspace they mean."""

import re

from pyro_mcp.errors import InvalidRequest
from pyro_mcp.models.names import display_name
from pyro_mcp.workspaces.patch.reading.document import RawName
from pyro_mcp.workspaces.text.quoting import take_quoted

_ROOTED = re.compile(rb"(?:[^/]+/)?/workspace/+")
"""Models name files as they see them; what stands under the workspace's root can be meant in one way only."""
_MAX_HEADER = 40_000  # a path has at most 4,096 bytes, each at most four characters when quoted
_DATE = re.compile(rb"\s+(\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d(?:\.\d+)?)?(?: [+-]\d{4})?)\s*\Z")
_BEFORE_TIME = re.compile(rb"(?:1970-01-01|1969-12-31)")
_PREFIX_PAIRS = {
    (b"a", b"b"), (b"b", b"a"), (b"i", b"w"), (b"w", b"i"), (b"c", b"i"), (b"i", b"c"), (b"c", b"w"), (b"w", b"c"),
    (b"o", b"w"), (b"w", b"o"), (b"1", b"2"), (b"old", b"new"),
}  # fmt: skip


def read_file_name(text: bytes, *, dated: bool) -> RawName | None:
    """Read the name after `---` or `+++`; None for a file that is not there: `/dev/null`, or dated to the epoch.

    `dated` allows a date after spaces; a tab always ends the name.
    """
    quoted = take_quoted(text)
    if quoted is not None:
        return RawName(quoted[0])
    name, tab, date = text.partition(b"\t")
    found = _DATE.search(name) if dated and not tab else None
    if found is not None:
        name, date = name[: found.start()], found.group(1)
    name = name if tab else name.rstrip() if dated else name.rstrip(b"\r")
    return None if name == b"/dev/null" or (dated and _BEFORE_TIME.match(date)) else RawName(name)


def read_plain_name(text: bytes) -> RawName:
    """Read the name after `rename from` and the like."""
    quoted = take_quoted(text)
    return RawName(quoted[0] if quoted else text.rstrip(b"\r"), prefixed=False)


def read_name_pair(text: bytes) -> tuple[RawName, RawName] | None:
    """Split what follows `diff --git`; None where that cannot be told (then other lines have to name the files)."""
    if len(text) > _MAX_HEADER:
        raise InvalidRequest("the patch has a header line too long for any path")
    text = text.rstrip(b"\r")
    first = take_quoted(text)
    if first is not None:
        second = take_quoted(first[1].lstrip(b" "))
        return RawName(first[0]), RawName(second[0] if second else first[1].lstrip(b" "))
    if text.endswith(b'"') and (at := text.find(b' "')) >= 0 and (second := take_quoted(text[at + 1 :])):
        return RawName(text[:at]), RawName(second[0])
    return _split_pair(text)


def _split_pair(text: bytes) -> tuple[RawName, RawName] | None:
    """Without quotes a name may hold spaces: split where both sides say the same but for a prefix."""
    middle = len(text) // 2
    halves = text[:middle], text[middle + 1 :]
    if text[middle : middle + 1] == b" " and (halves[0] == halves[1] or _tail(halves[0]) == _tail(halves[1])):
        return RawName(halves[0]), RawName(halves[1])
    at = text.find(b" ")
    while at >= 0:
        if _tail(text[:at]) == _tail(text[at + 1 :]) is not None:
            return RawName(text[:at]), RawName(text[at + 1 :])
        at = text.find(b" ", at + 1)
    parts = text.split(b" ")
    return (RawName(parts[0]), RawName(parts[1])) if len(parts) == 2 else None


def _tail(name: bytes) -> bytes | None:
    """Give the name without its first part."""
    _, slash, tail = name.partition(b"/")
    return tail if slash else None


def prefix_parts(old_name: RawName | None, new_name: RawName | None) -> int | None:
    """Guess how many leading parts are a prefix: 0, 1, or None where it cannot be told."""
    if old_name is None:
        return 1 if new_name and new_name.text.startswith(b"b/") else None
    if new_name is None:
        return 1 if old_name.text.startswith(b"a/") else None
    old, new = old_name.text, new_name.text
    if old == new:
        return 0
    heads = old.partition(b"/")[0], new.partition(b"/")[0]
    if heads in _PREFIX_PAIRS or (_tail(old) is not None and _tail(old) == _tail(new)):
        return 1
    return 0


def strip_name(name: RawName, parts: int) -> bytes | None:
    """Take `parts` leading parts off a name; None when it has no more than these."""
    text = _without_dots(name.text)
    for _ in range(parts if name.prefixed else max(parts - 1, 0)):
        tail = _tail(text)
        if tail is None:
            return None
        text = tail
    return text


def below_workspace(name: RawName) -> bytes | None:
    """Give the path when the name is absolute (maybe behind a prefix) and inside the workspace, else None."""
    found = _ROOTED.match(name.text)
    return _without_dots(name.text[found.end() :]) if found else None


def _without_dots(name: bytes) -> bytes:
    """Drop `./` and doubled slashes, which mean nothing; all else is left for `check_path` to judge."""
    root = b"/" if name.startswith(b"/") else b""
    return root + b"/".join(part for part in name.split(b"/") if part not in (b"", b"."))


def check_path(path: bytes) -> None:
    """Refuse a path that is not plainly inside the workspace."""
    reason = _trouble(path)
    if reason is not None:
        raise InvalidRequest(f'the patch names "{display_name(path[:200])}", which {reason}')


def is_inside(path: bytes) -> bool:
    """Tell whether `check_path` would let the path pass."""
    return _trouble(path) is None


def _trouble(path: bytes) -> str | None:
    parts = path.split(b"/")
    reason = None
    if not path or b"\0" in path:
        reason = "is no file name"
    elif path.startswith(b"/"):
        reason = "is absolute; paths count from the workspace's root"
    elif b".." in parts or b"." in parts or b"" in parts:
        reason = 'goes through "..", "." or an empty part'
    elif any(part.lower() == b".git" for part in parts):
        reason = "is inside .git, which no patch may touch"
    elif len(path) > 4096 or max(map(len, parts)) > 255:
        reason = "is too long"
    return reason
