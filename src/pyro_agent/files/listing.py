"""Verbs `tree.list`, `tree.manifest` and `tree.read`: what is below a directory, one JSON line per entry."""

from __future__ import annotations

import hashlib
import os
import stat

from pyro_agent.disk import places
from pyro_agent.files.changes import take_only
from pyro_agent.files.globs import matcher
from pyro_agent.files.walking import Entry, Walk, open_file
from pyro_agent.workers.desk import Desk
from pyro_wire import messages
from pyro_wire.faults import FaultError
from pyro_wire.messages import Message

_MOST = 10_000_000
_BLOCK = 256 * 1024


def list_tree(message: Message, desk: Desk) -> Message:
    """`tree.list` {path, depth=1, glob, limit=10000, ignore=[]} → lines {path, kind, mode, size, mtime_ns, target?}."""
    depth = messages.optional_integer(message, "depth", low=1, high=1000) or 1
    limit = messages.optional_integer(message, "limit", low=1, high=_MOST) or 10_000
    walk = Walk(messages.text(message, "path", default=""), depth=depth, ignored=places.ignored(message, ()))
    glob = messages.optional_text(message, "glob")
    fits = None if glob is None else matcher(glob)
    count = 0
    for entry in walk:
        if fits is not None and not fits(entry.path):
            continue
        if count == limit:
            return {"count": count, "more": True, "left_out": walk.left_out}
        desk.put_line(_line(entry))
        count += 1
    return {"count": count, "more": False, "left_out": walk.left_out}


def list_contents(message: Message, desk: Desk) -> Message:
    """`tree.manifest` {path, ignore=[".git"]} → the same lines of everything below, with sha256 for files.

    With only=true just of what the body names: lines {just: paths} and {whole: paths with all below}.
    """
    only = take_only(desk) if messages.flag(message, "only", default=False) else None
    ignored = places.ignored(message, (".git",))
    walk = Walk(messages.text(message, "path", default=""), ignored=ignored, only=only)
    count = 0
    for entry in walk:
        line = _line(entry)
        if stat.S_ISREG(entry.status.st_mode):
            try:
                line["sha256"] = hash_file(open_file(entry))
            except OSError:
                walk.left_out += 1  # gone since
                continue
        desk.put_line(line)
        count += 1
    return {"count": count, "left_out": walk.left_out}


def read_tree(message: Message, desk: Desk) -> Message:
    """`tree.read` {path, ignore=[]} → the same lines of everything below, each file's followed by as many bytes as it says."""
    walk = Walk(messages.text(message, "path", default=""), ignored=places.ignored(message, ()))
    count = 0
    for entry in walk:
        if not stat.S_ISREG(entry.status.st_mode):
            desk.put_line(_line(entry))
        elif not _put_file(entry, desk):
            walk.left_out += 1  # gone since
            continue
        count += 1
    return {"count": count, "left_out": walk.left_out}


def _put_file(entry: Entry, desk: Desk) -> bool:
    """Send a file; one that gets shorter meanwhile breaks the whole off, since its size has been told."""
    try:
        file = open_file(entry)
    except OSError:
        return False
    try:
        entry = entry._replace(status=os.fstat(file))
        desk.put_line(_line(entry))
        left = entry.status.st_size
        while left:
            block = os.read(file, min(left, _BLOCK))
            if not block:
                raise FaultError("conflict", f"{places.shown(entry.path)} changed while it was read")
            desk.put(block)
            left -= len(block)
    finally:
        os.close(file)
    return True


def hash_file(file: int) -> str:
    """Return the SHA-256 of an open file, and close it."""
    digest = hashlib.sha256()
    try:
        while block := os.read(file, _BLOCK):
            digest.update(block)
    finally:
        os.close(file)
    return digest.hexdigest()


def _line(entry: Entry) -> dict[str, object]:
    line = {"path": entry.path, **places.describe(entry.status)}
    if stat.S_ISLNK(entry.status.st_mode):
        try:
            line["target"] = os.readlink(entry.name, dir_fd=entry.folder)
        except OSError:
            line["target"] = ""  # gone since
    return line
