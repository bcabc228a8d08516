"""Quote and unquote names in a patch the way git does."""

import re

from pyro_mcp.errors import InvalidRequest

_ESCAPES = {
    ord('"'): b'\\"', ord("\\"): b"\\\\", 7: b"\\a", 8: b"\\b", 9: b"\\t", 10: b"\\n", 11: b"\\v", 12: b"\\f", 13: b"\\r",
}  # fmt: skip
_NEEDS_QUOTES = re.compile(rb'[^ -~]|["\\]')
_UNESCAPES = {escape[1:]: bytes([byte]) for byte, escape in _ESCAPES.items()}
_ESCAPED = re.compile(rb"\\([0-3][0-7]{2}|.)", re.DOTALL)
_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*)"', re.DOTALL)


def quote_name(name: bytes, *, always: bool = False) -> bytes:
    """Put a name in quotes, with C escapes, when it holds anything but plain ASCII."""
    if not always and not _NEEDS_QUOTES.search(name):
        return name
    return b'"' + _NEEDS_QUOTES.sub(lambda found: _escape(found.group()), name) + b'"'


def _escape(byte: bytes) -> bytes:
    return _ESCAPES.get(byte[0], b"\\%03o" % byte[0])


def take_quoted(text: bytes) -> tuple[bytes, bytes] | None:
    """Read a quoted name from the start of `text`; give it and what follows, or None when there is none."""
    found = _QUOTED.match(text)
    if found is None:
        return None
    return _ESCAPED.sub(lambda escape: _unescape(escape.group(1)), found.group(1)), text[found.end() :]


def _unescape(escape: bytes) -> bytes:
    if len(escape) == 3:
        return bytes([int(escape, 8)])
    try:
        return _UNESCAPES[escape]
    except KeyError:
        raise InvalidRequest(
            f"the patch has an unknown escape \\{escape.decode('latin-1')} in a quoted name"
        ) from None
