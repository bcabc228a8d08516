"""Read a repository's configuration without obeying it, and write the little of it that a seed may have. Pure.

git and libgit2 follow includes and start programs that a configuration names; here it is only text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_SECTION = re.compile(rb'\[\s*([-.a-zA-Z0-9]+)\s*(?:"((?:[^"\\\n]|\\.)*)")?\s*\]')
_KEY = re.compile(rb"([a-zA-Z][-a-zA-Z0-9]*)\s*(=?)[ \t]*")
_ESCAPES = {b"n": b"\n", b"t": b"\t", b"b": b"\b", b'"': b'"', b"\\": b"\\"}
_NUMBER_OR_WORD = re.compile(rb"[a-zA-Z0-9]{1,20}")

# Plain switches that change how the tree is read, none of which names a program or a path.
_CORE = (b"ignorecase", b"symlinks", b"autocrlf", b"eol", b"safecrlf", b"precomposeunicode", b"sparsecheckout",
         b"sparsecheckoutcone")  # fmt: skip
_EXTENSIONS = (b"objectformat", b"refstorage", b"partialclone")
_REMOTE = (b"fetch", b"promisor", b"partialclonefilter")
_BRANCH = (b"remote", b"merge", b"rebase")


@dataclass(frozen=True)
class Setting:
    """One line: sections and keys in lower case, the subsection as it is."""

    section: bytes
    subsection: bytes | None
    key: bytes
    value: bytes


def parse_config(text: bytes) -> tuple[Setting, ...]:
    """Read what can be read; a line that is no configuration is passed over."""
    found: list[Setting] = []
    section, subsection = b"", None
    for line in _lines(text):
        rest = line.strip()
        if header := _SECTION.match(rest):
            section = header.group(1).lower()
            named = header.group(2)
            subsection = None if named is None else re.sub(rb"\\(.)", rb"\1", named)
            rest = rest[header.end() :].strip()
        if section and (key := _KEY.match(rest)):
            value = _value(rest[key.end() :]) if key.group(2) else b"true"
            found.append(Setting(section, subsection, key.group(1).lower(), value))
    return tuple(found)


def _lines(text: bytes) -> Iterator[bytes]:
    """A line that ends in an odd number of backslashes goes on in the next."""
    pending = b""
    for line in text.replace(b"\r\n", b"\n").split(b"\n"):
        pending += line
        if (len(pending) - len(pending.rstrip(b"\\"))) % 2:
            pending = pending[:-1]
            continue
        yield pending
        pending = b""
    if pending:
        yield pending


def _value(text: bytes) -> bytes:
    """Unquote, unescape, cut the comment, and the spaces outside quotes at the end."""
    out, kept, quoted, at = bytearray(), 0, False, 0
    while at < len(text):
        char = text[at : at + 1]
        at += 1
        if char == b'"':
            quoted = not quoted
            kept = len(out)
        elif char == b"\\":
            out += _ESCAPES.get(text[at : at + 1], b"")
            kept = len(out)
            at += 1
        elif char in b"#;" and not quoted:
            break
        else:
            out += char
            kept = len(out) if quoted or char not in b" \t" else kept
    return bytes(out[:kept])


def seed_config(text: bytes) -> bytes:
    """Write the configuration of a seed's repository: what its format needs, its remotes without credentials, its branches.

    `checkStat = minimal`: inode numbers and change times differ in the guest, sizes and modification times do not, so the
    first `git status` there need not read every file.
    """
    settings = parse_config(text)
    version = next(
        (s.value for s in settings if (s.section, s.key) == (b"core", b"repositoryformatversion")), b"0"
    )
    lines = [
        b"[core]",
        b"\trepositoryformatversion = " + (b"1" if version == b"1" else b"0"),
        b"\tfilemode = true",
        b"\tbare = false",
        b"\tlogallrefupdates = true",
        b"\tcheckStat = minimal",
        b"\ttrustctime = false",
        *_plain(settings, b"core", _CORE),
    ]
    if version == b"1" and (extensions := list(_plain(settings, b"extensions", _EXTENSIONS))):
        lines += [b"[extensions]", *extensions]
    for name in _names(settings, b"remote"):
        lines += _remote(settings, name)
    for name in _names(settings, b"branch"):
        lines += _subsection(b"branch", name, _kept(settings, b"branch", name, _BRANCH))
    return b"\n".join(lines) + b"\n"


def _plain(settings: Iterable[Setting], section: bytes, keys: tuple[bytes, ...]) -> Iterator[bytes]:
    for setting in settings:
        wanted = setting.section == section and setting.subsection is None and setting.key in keys
        if wanted and _NUMBER_OR_WORD.fullmatch(setting.value):
            yield b"\t" + setting.key + b" = " + setting.value


def _names(settings: Iterable[Setting], section: bytes) -> list[bytes]:
    return list(dict.fromkeys(s.subsection for s in settings if s.section == section and s.subsection))


def _kept(
    settings: Iterable[Setting], section: bytes, name: bytes, keys: tuple[bytes, ...]
) -> list[tuple[bytes, bytes]]:
    return [
        (s.key, s.value) for s in settings if s.section == section and s.subsection == name and s.key in keys
    ]


def _remote(settings: Iterable[Setting], name: bytes) -> list[bytes]:
    urls = [url for _, value in _kept(settings, b"remote", name, (b"url",)) if (url := clean_url(value))]
    kept = _kept(settings, b"remote", name, _REMOTE)
    return _subsection(b"remote", name, [*((b"url", url) for url in urls), *kept]) if urls else []


def _subsection(section: bytes, name: bytes, values: list[tuple[bytes, bytes]]) -> list[bytes]:
    if not values or b"\n" in name or b"\0" in name:
        return []
    head = b"[" + section + b' "' + name.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"]'
    return [head, *(b"\t" + key + b" = " + _quoted(value) for key, value in values)]


def _quoted(value: bytes) -> bytes:
    escaped = (
        value.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n").replace(b"\t", b"\\t")
    )
    return b'"' + bytes(byte for byte in escaped if byte >= 32) + b'"'


def clean_url(url: bytes) -> bytes | None:
    """Give a remote's address without user, password or query; the user `git` of ssh is no secret. None: it runs a program."""
    if b"::" in url.split(b"/", 1)[0]:
        return None
    scheme, separator, rest = url.partition(b"://")
    if not separator:
        user, at, place = url.partition(b":")[0].rpartition(b"@")
        plain = not at or user == b"git" or b"/" in user + place  # a path may have an @ in it
        return url if plain else url[len(user) + 1 :]
    authority, slash, path = rest.partition(b"/")
    user, at, host = authority.rpartition(b"@")
    if at and user == b"git" and b"ssh" in scheme:
        host = b"git@" + host
    if scheme.lower() in (b"http", b"https"):
        path = re.split(rb"[?#]", path, maxsplit=1)[0]
    return scheme + b"://" + host + slash + path
