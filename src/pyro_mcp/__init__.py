"""Small Linux machines of their own for coding agents.

Nothing is imported here until it is asked for: the keeper starts in 20 ms and `pyro --help` in 100, and both import this file.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyro_mcp.errors import (
        Conflict,
        GuestFailed,
        HostUnfit,
        InvalidRequest,
        LimitReached,
        NotFound,
        OutcomeUnknown,
        PolicyDenied,
        PyroError,
    )
    from pyro_mcp.models.environment import EnvironmentInfo
    from pyro_mcp.models.run import RunResult
    from pyro_mcp.operations.client import Pyro, create_server

__all__ = [
    "Conflict",
    "EnvironmentInfo",
    "GuestFailed",
    "HostUnfit",
    "InvalidRequest",
    "LimitReached",
    "NotFound",
    "OutcomeUnknown",
    "PolicyDenied",
    "Pyro",
    "PyroError",
    "RunResult",
    "create_server",
]

_HOMES = {
    "EnvironmentInfo": "pyro_mcp.models.environment",
    "Pyro": "pyro_mcp.operations.client",
    "RunResult": "pyro_mcp.models.run",
    "create_server": "pyro_mcp.operations.client",
}


def __getattr__(name: str) -> object:
    if name == "__version__":
        return import_module("importlib.metadata").version("pyro-mcp")
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES.get(name, "pyro_mcp.errors")), name)
