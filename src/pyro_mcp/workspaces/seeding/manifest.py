"""What a tree holds, entry by entry: the seed's digest is that of its manifest, and later changes are found by comparing two."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from pyro_mcp.workspaces.seeding.entries import Kind
from pyro_mcp.workspaces.seeding.squashfs_tables import Node

_LETTERS: dict[Kind, bytes] = {"file": b"f", "directory": b"d", "symlink": b"l"}
_KINDS: dict[bytes, Kind] = {letter: kind for kind, letter in _LETTERS.items()}


class Item(NamedTuple):
    """One entry. `digest` is the SHA-256 of a file's content, or of a link's target; empty for a directory."""

    kind: Kind
    mode: int
    size: int
    mtime: int
    digest: bytes


Manifest = Mapping[bytes, Item]


def encode(manifest: Iterable[tuple[bytes, Item]]) -> bytes:
    """Write a manifest, in the order given; names may hold anything but NUL."""
    return b"".join(
        b"%c%o %d %d %s\0%s\0"
        % (_LETTERS[item.kind], item.mode, item.size, item.mtime, item.digest.hex().encode(), path)
        for path, item in manifest
    )


def decode(text: bytes) -> dict[bytes, Item]:
    """Read a manifest that encode() wrote."""
    fields = text.split(b"\0")
    found: dict[bytes, Item] = {}
    for facts, path in zip(fields[0::2], fields[1::2], strict=False):
        mode, size, mtime, digest = facts[1:].split(b" ")
        found[path] = Item(
            _KINDS[facts[:1]], int(mode, 8), int(size), int(mtime), bytes.fromhex(digest.decode())
        )
    return found


def of_tree(root: Node) -> list[tuple[bytes, Item]]:
    """List an image's tree, sorted by path."""
    found = [(b"", _item(root))]
    pending = [(b"", root)]
    while pending:
        prefix, directory = pending.pop()
        for name, node in directory.children.items():
            found.append((prefix + name, _item(node)))
            if node.kind == "directory":
                pending.append((prefix + name + b"/", node))
    found.sort()
    return found


def _item(node: Node) -> Item:
    if node.kind == "symlink":
        return Item("symlink", 0o777, len(node.target), node.mtime, hashlib.sha256(node.target).digest())
    return Item(node.kind, node.mode, node.extent.size if node.extent else 0, node.mtime, node.digest)
