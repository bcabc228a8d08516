"""A workspace's root in a directory of this host: what the agent's file verbs see in a guest at /run/root."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyro_agent.disk import mounts
from pyro_agent.transactions import journal
from pyro_wire import messages
from pyro_wire.messages import Message


class Root:
    """The root, its /workspace, and the disk behind them."""

    def __init__(self, path: Path) -> None:
        self.path = path / "root"
        self.workspace = self.path / "workspace"
        self.disk = path / "disk"
        for folder in (self.workspace, self.disk / "pyro", self.path / "tmp"):
            folder.mkdir(parents=True)

    def tree(self) -> dict[str, object]:
        """Return what /workspace holds: bytes of files, targets of links, None for directories."""
        found: dict[str, object] = {}
        for folder, folders, files in os.walk(self.workspace):
            for name in (*folders, *files):
                path = Path(folder, name)
                inside = str(path.relative_to(self.workspace))
                found[inside] = (
                    path.readlink() if path.is_symlink() else path.read_bytes() if path.is_file() else None
                )
        return found


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Root:
    made = Root(tmp_path)
    monkeypatch.setattr(mounts, "ROOT", str(made.path))
    monkeypatch.setattr(mounts, "DISK", str(made.disk))
    monkeypatch.setattr(journal, "FOLDER", f"{made.disk}/pyro/txn")
    stagings = (f"{made.workspace}/.pyro-staging", f"{made.path}/.pyro-staging")
    monkeypatch.setattr(journal, "STAGINGS", stagings)
    return made


class Desk:
    """Stands in for a job's way out and in."""

    def __init__(self, body: bytes = b"") -> None:
        self.out = bytearray()
        self._body = body

    def put(self, data: bytes | bytearray | memoryview) -> None:
        self.out += data

    def put_line(self, message: Message) -> None:
        self.put(messages.pack(message) + b"\n")

    def take_line(self) -> Message | None:
        line, _, self._body = self._body.partition(b"\n")
        return messages.unpack(line) if line else None

    def take(self, most: int) -> bytes:
        data, self._body = self._body[:most], self._body[most:]
        return data

    def lines(self) -> Iterator[dict[str, object]]:
        """Give what was sent, line by line."""
        for line in self.out.splitlines():
            yield json.loads(line)


def body(*operations: dict[str, object], **_: object) -> bytes:
    """Write operations as they travel; `data` is a write's content."""
    parts = []
    for operation in operations:
        data = operation.pop("data", None)
        if isinstance(data, bytes):
            operation["size"] = len(data)
        parts.append(json.dumps(operation).encode() + b"\n" + (data if isinstance(data, bytes) else b""))
    return b"".join(parts)
