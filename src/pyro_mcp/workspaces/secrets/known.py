"""The secrets of all workspaces: names in the registry, values in each one's directory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pyro_mcp.workspaces.registry import secrets
from pyro_mcp.workspaces.registry.database import Registry
from pyro_mcp.workspaces.secrets.store import SecretStore
from pyro_mcp.workspaces.storage.directories import Directories

# Needed once something is said: `workspace list` is as quick as what it imports is little.
if TYPE_CHECKING:
    from pyro_mcp.redaction import Redactor


class KnownSecrets:
    """What workspaces' machines know and nothing they say may tell."""

    def __init__(self, registry: Registry, directories: Directories) -> None:
        self._registry = registry
        self._directories = directories
        self._redactors: dict[str, Redactor] = {}

    def put(self, workspace_id: str, values: Mapping[str, bytes]) -> None:
        """Keep the values that a workspace is made with."""
        self._store(workspace_id).put(values)

    def values(self, workspace_id: str) -> dict[str, bytes]:
        """Read the values of a workspace's secrets, by name."""
        with self._registry.reading() as reading:
            names = secrets.names(reading, workspace_id)
        return self._store(workspace_id).values(names)

    def redactor(self, workspace_id: str) -> Redactor:
        """Give what takes a workspace's secrets out of texts; they never change while it lives."""
        from pyro_mcp.redaction import Redactor

        if workspace_id not in self._redactors:
            self._redactors[workspace_id] = Redactor(self.values(workspace_id))
        return self._redactors[workspace_id].fresh()

    def _store(self, workspace_id: str) -> SecretStore:
        return SecretStore(self._directories.of(workspace_id) / "secrets")
