"""What host and workspace last agreed on: the seed, and over it what each push brought. The rest is the workspace's own.

What pushes brought is kept for each layer of the disk that they wrote to. So it goes wherever the disk goes: a reset forgets
what it takes back, and a snapshot and its forks know what is in them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from pyro_mcp.errors import (
    Conflict,
    HostUnfit,
    InvalidRequest,
    LimitReached,
    NotFound,
    PolicyDenied,
    PyroError,
)
from pyro_mcp.host.locks import exclusive
from pyro_mcp.host.paths import private_directory
from pyro_mcp.host.writing import write_whole
from pyro_mcp.workspaces.push.plan import in_git
from pyro_mcp.workspaces.registry import layers
from pyro_mcp.workspaces.registry.layers import LayerRecord
from pyro_mcp.workspaces.seeding import manifest
from pyro_mcp.workspaces.seeding.manifest import Item, Manifest
from pyro_mcp.workspaces.session import Sessions

# Sizes that no file has. What is in doubt equals nothing, so that a difference there is a clash and never a loss.
_GONE = Item("file", 0, -1, 0, b"")
_IN_DOUBT = Item("file", 0, -2, 0, b"")

# All others leave it open whether the push was carried out.
_NOTHING_DONE = (Conflict, HostUnfit, InvalidRequest, LimitReached, NotFound, PolicyDenied)

Agreed = Mapping[bytes, Item | None]


@contextmanager
def one_push(sessions: Sessions, workspace_id: str) -> Iterator[None]:
    """Let one push at a time look at a workspace, change it and remember what it brought."""
    sessions.record(workspace_id)  # raises NotFound: one that was deleted meanwhile gets no directory again
    directory = private_directory(sessions.directories.of(workspace_id))
    with exclusive(directory / "push.lock", what="another push into this workspace"):
        yield


class Memory:
    """What was agreed on below a destination in /workspace. Used by one_push() at a time."""

    def __init__(self, sessions: Sessions, workspace_id: str, below: bytes) -> None:
        self._sessions = sessions
        self._id = workspace_id
        self._below = below
        self._directory = sessions.directories.pushed(workspace_id)
        chain = self._chain()
        self._top = chain[-1]
        digest = sessions.record(workspace_id).seed_digest
        seed: Manifest = sessions.seeds.manifest(digest) if digest is not None else {}
        self.seeded: Manifest = {
            path[len(below) :]: item
            for path, item in seed.items()
            if len(path) > len(below) and path.startswith(below) and not in_git(path)
        }
        brought = self._brought(chain)
        self._known = brought is not None
        self.base: Manifest = {} if brought is None else self._over_the_seed(brought)
        """What both had when they last agreed. Where nobody can tell, all that differs may be the workspace's own work."""

    def _brought(self, chain: tuple[LayerRecord, ...]) -> Manifest | None:
        found: dict[bytes, Item] = {}
        try:
            for layer in chain:
                found.update(self._load(layer))
        except (OSError, ValueError, KeyError):
            return None
        return found

    def _over_the_seed(self, brought: Manifest) -> Manifest:
        found = dict(self.seeded)
        for path, item in brought.items():
            if len(path) > len(self._below) and path.startswith(self._below):
                if item == _GONE:
                    found.pop(path[len(self._below) :], None)
                else:
                    found[path[len(self._below) :]] = item
        return found

    @contextmanager
    def remembering(self, agreed: Agreed) -> Iterator[None]:
        """Carry a push out inside the block, and remember what host and workspace agree on by it.

        It is in doubt before it is done, so that no crash lets a push believe what is no longer true. Raises Conflict when the
        disk is another one than was looked at, HostUnfit where nothing can be written down; then nothing was done.
        """
        top = self._same_disk()
        if top is None:
            raise Conflict("the workspace was reset in the middle of this push", hint="Push again.")
        if not agreed or not self._known:
            yield
            return
        before = self._doubt(top, agreed)
        try:
            yield
        except _NOTHING_DONE:
            with suppress(OSError, PyroError):
                if self._same_disk() == top:
                    self._save(top, before)
            raise
        with suppress(
            OSError, ValueError, KeyError, PyroError
        ):  # carried out: what cannot be remembered stays in doubt
            self._settle(top, before, agreed)

    def _doubt(self, top: LayerRecord, agreed: Agreed) -> Manifest:
        try:
            before = self._load(top)
            self._save(top, {**before, **{self._below + path: _IN_DOUBT for path in agreed}})
            return before
        except OSError as error:
            raise HostUnfit(
                f"{self._directory} cannot be written to, where it is remembered what was pushed",
                details=str(error),
                hint="Nothing was pushed. Free room on that disk, and push again.",
            ) from error

    def _settle(self, top: LayerRecord, before: Manifest, agreed: Agreed) -> None:
        settled = {self._below + path: item or _GONE for path, item in agreed.items()}
        now = self._same_disk()
        if now is None:  # it was reset since
            return
        if now.id != top.id:  # a snapshot was taken meanwhile, with or without this push in it
            before = self._load(now)
        self._save(now, {**before, **settled})
        self._forget_the_gone()

    def _load(self, layer: LayerRecord) -> Manifest:
        """Read what pushes brought into a layer. Raises OSError, ValueError or KeyError where that cannot be read."""
        try:
            return manifest.decode((self._directory / layer.id).read_bytes())
        except FileNotFoundError:
            return {}

    def _save(self, layer: LayerRecord, brought: Manifest) -> None:
        private_directory(self._directory)
        write_whole(self._directory / layer.id, manifest.encode(brought.items()))

    def _forget_the_gone(self) -> None:
        """Remove what was pushed into layers that are no more, and what a crash left half written."""
        with self._sessions.registry.reading() as reading:
            there = layers.references(reading)
        for file in self._directory.iterdir():
            if file.name not in there:
                file.unlink()

    def _same_disk(self) -> LayerRecord | None:
        """Give the layer that is written now, None when what was looked at is no longer below it."""
        chain = self._chain()
        return chain[-1] if self._top.id in {layer.id for layer in chain} else None

    def _chain(self) -> tuple[LayerRecord, ...]:
        top = self._sessions.record(self._id).top_layer
        with self._sessions.registry.reading() as reading:
            chain = layers.chain(reading, top) if top else ()
        if not chain:
            raise Conflict("the workspace has no disk yet", hint="Wait until it is created.")
        return chain
