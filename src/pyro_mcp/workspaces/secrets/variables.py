"""The variables by which one command, shell or service is told secrets: nothing else that runs beside it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pyro_mcp.errors import InvalidRequest, NotFound

if TYPE_CHECKING:
    from pyro_mcp.workspaces.registry.workspaces import WorkspaceRecord
    from pyro_mcp.workspaces.session import Sessions


def secret_variables(
    sessions: Sessions, record: WorkspaceRecord, wanted: Mapping[str, str]
) -> dict[str, str]:
    """Give the variables for `secret_env`, a mapping of secrets' names to variables' names; add them to the request's `env`.

    A value's last line break is left out, as `$(cat FILE)` does. Raises NotFound for a secret that the workspace does not
    have, InvalidRequest for a value that no variable can hold.
    """
    if not wanted:
        return {}
    values = sessions.secrets.values(record.id)
    for name in wanted:
        if name not in values:
            there = ", ".join(values) or "none; secrets are given when a workspace is created"
            raise NotFound(f"the workspace has no secret {name[:80]!r}", hint=f"It has: {there}.")
    return {variable: _text(name, values[name]) for name, variable in wanted.items()}


def _text(name: str, value: bytes) -> str:
    try:
        text = value.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise InvalidRequest(
            f"the secret {name} is not text, so no variable can hold it",
            hint=f"Read it from the file /run/pyro-secrets/{name} in the workspace.",
        )
    return text
