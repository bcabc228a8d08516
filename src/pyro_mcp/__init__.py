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
    from pyro_mcp.models.diff import WorkspaceDiff
    from pyro_mcp.models.edit import Edit
    from pyro_mcp.models.environment import EnvironmentInfo
    from pyro_mcp.models.events import WorkspaceLogs
    from pyro_mcp.models.export import ExportReport
    from pyro_mcp.models.file import FileContent, FileListing, SearchResult
    from pyro_mcp.models.patch import PatchReport
    from pyro_mcp.models.push import PushReport
    from pyro_mcp.models.run import RunResult
    from pyro_mcp.models.service import CommandReady, FileReady, HttpReady, ServiceInfo, ServiceLogs, TcpReady
    from pyro_mcp.models.summary import WorkspaceComparison, WorkspaceSummary
    from pyro_mcp.models.workspace import (
        DeletedWorkspace,
        ExecResult,
        ForkOutcome,
        OutputText,
        SnapshotInfo,
        WorkspaceInfo,
        WorkspaceStatus,
    )
    from pyro_mcp.operations.client import Pyro, create_server
    from pyro_mcp.operations.handle import Workspace

__all__ = [
    "CommandReady",
    "Conflict",
    "DeletedWorkspace",
    "Edit",
    "EnvironmentInfo",
    "ExecResult",
    "ExportReport",
    "FileContent",
    "FileListing",
    "FileReady",
    "ForkOutcome",
    "GuestFailed",
    "HostUnfit",
    "HttpReady",
    "InvalidRequest",
    "LimitReached",
    "NotFound",
    "OutcomeUnknown",
    "OutputText",
    "PatchReport",
    "PolicyDenied",
    "PushReport",
    "Pyro",
    "PyroError",
    "RunResult",
    "SearchResult",
    "ServiceInfo",
    "ServiceLogs",
    "SnapshotInfo",
    "TcpReady",
    "Workspace",
    "WorkspaceComparison",
    "WorkspaceDiff",
    "WorkspaceInfo",
    "WorkspaceLogs",
    "WorkspaceStatus",
    "WorkspaceSummary",
    "create_server",
]

_HOMES = {
    "CommandReady": "pyro_mcp.models.service",
    "DeletedWorkspace": "pyro_mcp.models.workspace",
    "Edit": "pyro_mcp.models.edit",
    "EnvironmentInfo": "pyro_mcp.models.environment",
    "ExecResult": "pyro_mcp.models.workspace",
    "ExportReport": "pyro_mcp.models.export",
    "FileContent": "pyro_mcp.models.file",
    "FileListing": "pyro_mcp.models.file",
    "FileReady": "pyro_mcp.models.service",
    "ForkOutcome": "pyro_mcp.models.workspace",
    "HttpReady": "pyro_mcp.models.service",
    "OutputText": "pyro_mcp.models.workspace",
    "PatchReport": "pyro_mcp.models.patch",
    "PushReport": "pyro_mcp.models.push",
    "Pyro": "pyro_mcp.operations.client",
    "RunResult": "pyro_mcp.models.run",
    "SearchResult": "pyro_mcp.models.file",
    "ServiceInfo": "pyro_mcp.models.service",
    "ServiceLogs": "pyro_mcp.models.service",
    "SnapshotInfo": "pyro_mcp.models.workspace",
    "TcpReady": "pyro_mcp.models.service",
    "Workspace": "pyro_mcp.operations.handle",
    "WorkspaceComparison": "pyro_mcp.models.summary",
    "WorkspaceDiff": "pyro_mcp.models.diff",
    "WorkspaceInfo": "pyro_mcp.models.workspace",
    "WorkspaceLogs": "pyro_mcp.models.events",
    "WorkspaceStatus": "pyro_mcp.models.workspace",
    "WorkspaceSummary": "pyro_mcp.models.summary",
    "create_server": "pyro_mcp.operations.client",
}


def __getattr__(name: str) -> object:
    if name == "__version__":
        return import_module("importlib.metadata").version("pyro-mcp")
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES.get(name, "pyro_mcp.errors")), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
