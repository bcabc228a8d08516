"""Write down what is done with workspaces, and what their keepers decided meanwhile; `logs` reads it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from pyro_mcp.errors import NotFound
from pyro_mcp.workspaces.machines.running import Machines
from pyro_mcp.workspaces.registry import workspaces
from pyro_mcp.workspaces.registry.database import Registry
from pyro_mcp.workspaces.secrets.known import KnownSecrets
from pyro_mcp.workspaces.storage.directories import Directories

if TYPE_CHECKING:
    from pyro_mcp.workspaces.history import events


class History:
    """The history of every workspace that is there; one that is gone has none any more."""

    def __init__(
        self, registry: Registry, directories: Directories, secrets: KnownSecrets, machines: Machines
    ) -> None:
        self._registry = registry
        self._directories = directories
        self._secrets = secrets
        self._machines = machines

    def log(
        self,
        workspace_id: str,
        kind: str,
        began: float,
        data: Mapping[str, events.Json],
        outcome: str = "done",
    ) -> None:
        """Append an event, without secrets; `began` is when the operation did, of time.monotonic()."""
        from pyro_mcp.workspaces.history import events
        from pyro_mcp.workspaces.history.decisions import log_decisions

        duration = round((time.monotonic() - began) * 1000)
        with suppress(NotFound):
            redact = self._secrets.redactor(workspace_id).text
            with self._registry.changing(durable=False) as change:
                if workspaces.find(change, workspace_id) is not None:
                    log_decisions(change, workspace_id, self._directories.of(workspace_id))
                    events.append(
                        change,
                        workspace_id,
                        kind,
                        outcome=outcome,
                        duration_ms=duration,
                        data=data,
                        redact=redact,
                    )

    def log_network(self, workspace_id: str) -> None:
        """Bring what the keeper has decided up to now into the history."""
        from pyro_mcp.workspaces.history.decisions import log_decisions

        self._machines.tell(workspace_id, {"verb": "keeper.decisions"})
        with suppress(NotFound), self._registry.changing(durable=False) as change:
            log_decisions(change, workspace_id, self._directories.of(workspace_id))
