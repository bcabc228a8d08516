"""Workspaces as resources: what a host lets people attach to a chat, without a tool call. Bounded as answers are."""

from __future__ import annotations

import json
import mimetypes
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from urllib.parse import quote, unquote

import mcp_types as types

from pyro_mcp.errors import InvalidRequest, LimitReached, NotFound
from pyro_mcp.mcp_server.bounds import MOST_CHARS, bounded
from pyro_mcp.models.encoding import as_object
from pyro_mcp.models.workspace import WorkspaceInfo
from pyro_mcp.operations.catalogue import operation_named
from pyro_mcp.operations.client import Pyro
from pyro_mcp.operations.declare import Profile

_ROOT = "pyro://workspaces"
_JSON = "application/json"
_SHAPE = re.compile(
    rf"{_ROOT}(?:/(?P<name>[^/]+)(?:/(?P<part>diff|logs|files(?:/(?P<path>.*))?))?)?", re.DOTALL
)
# Each listed workspace is three entries that a person scrolls through; the rest is found by its template.
_LISTED = 20
_LARGEST_BINARY = 1 << 20
_COMPLETIONS = 100


class Resources:
    """The resources of one server."""

    def __init__(self, pyro: Pyro, profile: Profile) -> None:
        self._pyro = pyro
        self._narrow = profile != "workspace-full"

    def templates(self) -> list[types.ResourceTemplate]:
        """What can be read of any workspace."""
        return [
            _template("", "workspace", "State, sizes, what was copied in, what runs", _JSON),
            _template("/diff", "diff", "What changed since it was created, as git shows it", "text/x-diff"),
            _template("/logs", "history", "What was done in it", _JSON),
            _template("/files/{path}", "file", "One file, its path below /workspace", None),
        ]

    def listed(self) -> list[types.Resource]:
        """The list itself, and the workspaces used last."""
        found = self._pyro.workspace.list(limit=_LISTED)
        every = types.Resource(
            uri=_ROOT, name="workspaces", title="Workspaces", description="All workspaces", mime_type=_JSON
        )
        return [every, *(entry for item in found for entry in _entries(item))]

    def read(self, uri: str) -> types.TextResourceContents | types.BlobResourceContents:
        """Read one. Raises NotFound for a URI that is none of ours."""
        match = _SHAPE.fullmatch(uri)
        if match is None:
            raise NotFound(
                f"no resource is called {uri[:200]!r}",
                hint=f"{_ROOT}, or {_ROOT}/NAME, …/diff, …/logs, …/files/PATH",
            )
        name = unquote(match["name"] or "")
        part = (match["part"] or "").partition("/")[0]
        if not name:
            return self._told(uri, "workspace_list", {"limit": 200})
        if part == "diff":
            return self._diff(uri, name)
        if part == "files":
            return self._file(uri, name, unquote(match["path"] or ""))
        return self._told(uri, "workspace_logs" if part == "logs" else "workspace_status", _of(name, part))

    def names(self, begun: str) -> list[str]:
        """The workspaces whose names, or ids, begin so."""
        found = self._pyro.workspace.list()
        names = [item.name or item.workspace_id for item in found]
        ids = [item.workspace_id for item in found] if begun else []
        return [name for name in dict.fromkeys([*names, *ids]) if name.startswith(begun)][:_COMPLETIONS]

    def _told(self, uri: str, operation: str, arguments: Mapping[str, object]) -> types.TextResourceContents:
        declared = operation_named(operation)
        answer = as_object(declared.call(self._pyro, **arguments), declared.plural, narrow=self._narrow)
        structured, cuts = bounded(answer)
        return types.TextResourceContents(
            uri=uri,
            mime_type=_JSON,
            text=json.dumps(structured, ensure_ascii=False, indent=1),
            _meta=_cut(cuts),
        )

    def _diff(self, uri: str, name: str) -> types.TextResourceContents:
        return _text(uri, "text/x-diff", self._pyro.workspace.diff(name).patch or "")

    def _file(
        self, uri: str, name: str, path: str
    ) -> types.TextResourceContents | types.BlobResourceContents:
        if not path or path.startswith("/") or ".." in path.split("/"):
            raise InvalidRequest(
                "a file's resource ends in its path below /workspace", hint=f"{_ROOT}/{name}/files/README.md"
            )
        found = self._pyro.workspace.file.read(name, path, encoding="base64", max_chars=2 * _LARGEST_BINARY)
        data, mime = b64decode(found.content), mimetypes.guess_type(path)[0]
        if (text := _as_text(data)) is not None:
            return _text(uri, mime or "text/plain", text, more=found.truncated)
        if found.size > _LARGEST_BINARY:
            raise LimitReached(
                f"{path} is {found.size} bytes; a resource may be {_LARGEST_BINARY}",
                hint="Copy it out with workspace_export.",
            )
        return types.BlobResourceContents(
            uri=uri, mime_type=mime or "application/octet-stream", blob=b64encode(data).decode()
        )


def _template(end: str, what: str, description: str, mime: str | None) -> types.ResourceTemplate:
    return types.ResourceTemplate(
        uri_template=f"{_ROOT}/{{name}}{end}",
        name=f"workspace-{what}" if end else what,
        title=f"Workspace: {what}" if end else "Workspace",
        description=f"{description}. The workspace's name or id.",
        mime_type=mime,
    )


def _entries(item: WorkspaceInfo) -> list[types.Resource]:
    called = item.name or item.workspace_id
    uri = f"{_ROOT}/{quote(called)}"
    what = f"{item.state}, {item.environment}"
    return [
        types.Resource(uri=uri, name=called, title=called, description=what, mime_type=_JSON),
        types.Resource(
            uri=f"{uri}/diff", name=f"{called} diff", title=f"{called}: changes", mime_type="text/x-diff"
        ),
        types.Resource(uri=f"{uri}/logs", name=f"{called} logs", title=f"{called}: history", mime_type=_JSON),
    ]


def _of(name: str, part: str) -> dict[str, object]:
    return {"workspace": name, **({"limit": 100} if part == "logs" else {})}


def _text(uri: str, mime: str, text: str, *, more: bool = False) -> types.TextResourceContents:
    kept = text[:MOST_CHARS]
    cut = [f"first {len(kept)} characters"] if more or len(kept) < len(text) else []
    return types.TextResourceContents(uri=uri, mime_type=mime, text=kept, _meta=_cut(cut))


def _cut(cuts: list[str]) -> dict[str, object] | None:
    """What was left out is told beside the contents: they are to be used as they are."""
    return {"pyro/cut": cuts} if cuts else None


def _as_text(data: bytes) -> str | None:
    """The text that the bytes are; a character that the end was cut through is left out."""
    if b"\0" in data:
        return None
    for end in range(len(data), max(len(data) - 4, -1), -1):
        try:
            return data[:end].decode()
        except UnicodeDecodeError as error:
            if error.reason != "unexpected end of data":
                return None
    return None
