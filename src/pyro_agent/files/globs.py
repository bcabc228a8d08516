"""Patterns of file names, as editors and ripgrep write them: `*.py`, `src/**/test_*.{ts,tsx}`."""

from __future__ import annotations

import re
from collections.abc import Callable

from pyro_wire.faults import FaultError

_PLAIN = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]", "{": "(?:", "}": ")", ",": "|"}
_PIECE = re.compile(r"\*\*/|\*\*|\*|\?|\[!?\]?[^]/]*\]|[{},]|.", re.DOTALL)


def matcher(glob: str) -> Callable[[str], bool]:
    """Return what tells whether a relative path fits; a glob without a slash looks at its last part alone."""
    whole = "/" in glob.strip("/")
    fits = re.compile(_translate(glob.strip("/")), re.DOTALL).fullmatch
    return lambda path: fits(path if whole else path.rpartition("/")[2]) is not None


def _translate(glob: str) -> str:
    parts, open_braces = [], 0
    for piece in _PIECE.findall(glob):
        if piece == ",":
            parts.append("|" if open_braces else ",")
        elif piece in _PLAIN:
            open_braces += {"{": 1, "}": -1}.get(piece, 0)
            parts.append(_PLAIN[piece])
        elif piece.startswith("[") and len(piece) > 1:
            inside = piece[1:-1].replace("\\", "\\\\")
            parts.append(f"[^{inside[1:]}]" if inside.startswith("!") else f"[{inside}]")
        else:
            parts.append(re.escape(piece))
    if open_braces:
        raise FaultError("invalid_request", f"glob: {glob[:100]!r} has an odd brace")
    return "".join(parts)
