"""Turn chosen entries into an image's tree, and write it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from pyro_mcp.progress import step
from pyro_mcp.workspaces.seeding.entries import Entry, Kind, Stamp, Unseedable, why
from pyro_mcp.workspaces.seeding.findings import Findings
from pyro_mcp.workspaces.seeding.reading import Content, Withheld, store_file
from pyro_mcp.workspaces.seeding.sensitive import sensitive
from pyro_mcp.workspaces.seeding.squashfs import ImageWriter
from pyro_mcp.workspaces.seeding.squashfs_tables import Extent, Node

_TOLD_EVERY = 500  # entries; telling takes time too


class ImageBuild:
    """An image in the making: its contents in the file, its tree in memory."""

    def __init__(self, file: BinaryIO) -> None:
        self.writer = ImageWriter(file)
        self.root = Node(b"", "directory", 0o755, 0)
        self.entries = 0

    def directory(self, path: bytes, mode: int, mtime: int) -> None:
        """Add a directory, or give one that is there its mode and time. Raises Unseedable."""
        if not path:
            self.root.mode, self.root.mtime = mode, mtime
            return
        parent, name = self._parent(path, mtime)
        there = parent.children.get(name)
        if there is not None and there.kind == "directory":
            there.mode, there.mtime = mode, mtime
        else:
            parent.children[name] = Node(name, "directory", mode, mtime)
            self.entries += 1

    def file(self, path: bytes, mode: int, mtime: int, extent: Extent, digest: bytes) -> None:
        """Add a file whose content is stored; one of the same name before it is gone. Raises Unseedable."""
        self._leaf(path, Node(b"", "file", mode, mtime, extent=extent, digest=digest))

    def symlink(self, path: bytes, mtime: int, target: bytes) -> None:
        """Add a link, wherever it points: nobody follows it here. Raises Unseedable."""
        self._leaf(path, Node(b"", "symlink", 0o777, mtime, target=target))

    def find(self, path: bytes) -> Node | None:
        """Find what is at a path."""
        node: Node | None = self.root
        for name in path.split(b"/"):
            node = node.children.get(name) if node is not None else None
        return node

    def _leaf(self, path: bytes, node: Node) -> None:
        parent, node.name = self._parent(path, node.mtime)
        there = parent.children.get(node.name)
        if there is not None and there.kind == "directory":
            raise Unseedable("there is a directory of that name already")
        parent.children[node.name] = node
        self.entries += 1

    def _parent(self, path: bytes, mtime: int) -> tuple[Node, bytes]:
        *above, name = path.split(b"/")
        node = self.root
        for part in above:
            child = node.children.get(part)
            if child is None:
                child = node.children[part] = Node(part, "directory", 0o755, mtime)
                self.entries += 1
            if child.kind != "directory":
                raise Unseedable("what should be its directory is none")
            node = child
        return node, name


@dataclass
class Built:
    """What was learnt while the contents were read."""

    hashes: dict[Stamp, bytes] = field(default_factory=dict)
    settled: bool = True


def store_entries(
    build: ImageBuild, entries: Sequence[Entry], findings: Findings, *, withhold: bool
) -> Built:
    """Put a directory's entries into an image; what cannot be read, or is withheld, goes into the findings."""
    built = Built()
    with step("reading the seed", total=len(entries), unit="files") as progress:
        for count, entry in enumerate(entries, start=1):
            try:
                _store(build, entry, findings, built, withhold)
            except Withheld:
                findings.withheld.append(entry.path)
            except Unseedable as reason:
                findings.skip(entry.path, str(reason))
                built.settled = False
            except OSError as error:
                if entry.origin is None or error.filename is None:
                    raise  # it is the image that cannot be written
                findings.skip(entry.path, why(error))
            if count % _TOLD_EVERY == 0:
                progress.reach(count)
    return built


def _store(build: ImageBuild, entry: Entry, findings: Findings, built: Built, withhold: bool) -> None:
    seconds = entry.mtime_ns // 1_000_000_000
    if entry.kind == "directory":
        build.directory(entry.path, entry.mode, seconds)
        return
    if entry.kind == "symlink":
        build.symlink(entry.path, seconds, entry.target)
        return
    content = store_file(build.writer, entry, withhold=withhold)
    build.file(entry.path, content.mode, content.mtime_ns // 1_000_000_000, content.extent, content.digest)
    _note(entry, content, findings, built)


def _note(entry: Entry, content: Content, findings: Findings, built: Built) -> None:
    if not content.steady:
        findings.changing.append(entry.path)
    if content.looks_secret and not entry.private and not sensitive().by_name(entry.path):
        findings.sensitive_tracked.append(entry.path)
    if content.settled and entry.stamp is not None:
        built.hashes[entry.stamp] = content.digest
    built.settled = built.settled and content.settled


@dataclass(frozen=True)
class Measures:
    """What is in a tree, the root not counted; `size` is that of all contents in bytes."""

    counts: Mapping[Kind, int]
    size: int


def top_of(root: Node) -> bytes:
    """Give the path of the deepest directory that everything lies below; b"" for the root itself."""
    names, node = [], root
    while len(node.children) == 1 and (only := next(iter(node.children.values()))).kind == "directory":
        names.append(only.name)
        node = only
    return b"/".join(names)


def measure(root: Node) -> Measures:
    """Count what is in a tree."""
    counts: dict[Kind, int] = {"file": 0, "directory": 0, "symlink": 0}
    size = 0
    pending = [root]
    while pending:
        for node in pending.pop().children.values():
            counts[node.kind] += 1
            if node.kind == "directory":
                pending.append(node)
            size += node.extent.size if node.extent else 0
    return Measures(counts, size)
