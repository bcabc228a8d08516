"""One workspace to go on working with: the operations on workspaces, with the workspace filled in."""

import inspect
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property, wraps
from types import TracebackType
from typing import Annotated, Concatenate, Generic, ParamSpec, Self, TypeVar, get_args, get_origin

from pyro_mcp.errors import NotFound
from pyro_mcp.models.workspace import WorkspaceStatus
from pyro_mcp.operations.declare import Handle
from pyro_mcp.operations.disks import DiskOperations
from pyro_mcp.operations.files import FileOperations
from pyro_mcp.operations.noun import Noun
from pyro_mcp.operations.outputs import OutputOperations
from pyro_mcp.operations.patches import PatchOperations
from pyro_mcp.operations.services import ServiceOperations
from pyro_mcp.operations.shells import ShellOperations
from pyro_mcp.operations.snapshots import SnapshotOperations
from pyro_mcp.operations.sync import SyncOperations
from pyro_mcp.operations.workspace import WorkspaceOperations

N = TypeVar("N", bound=Noun)
N_co = TypeVar("N_co", bound=Noun, covariant=True)  # a noun's methods may come from the classes it is made of
P = ParamSpec("P")
R = TypeVar("R")


class _Bound(Generic[N_co]):
    """A noun's operations for one workspace."""

    def __init__(self, noun: N_co, workspace_id: str) -> None:
        self._noun = noun
        self._id = workspace_id


class bound(Generic[N, P, R]):  # noqa: N801 - reads as what it makes of a method
    """A method of a noun with the workspace filled in; its other arguments, types and words are the method's own."""

    def __init__(self, method: Callable[Concatenate[N, str, P], R]) -> None:
        self._method = method
        self.__doc__ = method.__doc__

    def __get__(self, owner: _Bound[N], _: type[_Bound[N]]) -> Callable[P, R]:
        @wraps(self._method)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            return self._method(owner._noun, owner._id, *args, **kwargs)

        del call.__wrapped__  # whose signature is not this one's
        call.__signature__ = self._signature  # type: ignore[attr-defined]
        return call

    @cached_property
    def _signature(self) -> inspect.Signature:
        """The method's own, without itself and the workspace, and with the types alone: `help` prints it."""
        found = inspect.signature(self._method)
        shown = list(found.parameters.values())[2:]
        return found.replace(parameters=[item.replace(annotation=_plain(item.annotation)) for item in shown])


def _plain(annotation: object) -> object:
    """A type without what is said of the argument."""
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


class WorkspaceOutput(_Bound[OutputOperations]):
    """`ws.output`."""

    read = bound(OutputOperations.read)


class WorkspaceSync(_Bound[SyncOperations]):
    """`ws.sync`."""

    push = bound(SyncOperations.push)


class WorkspaceFiles(_Bound[FileOperations]):
    """`ws.file`."""

    list = bound(FileOperations.list)
    read = bound(FileOperations.read)
    write = bound(FileOperations.write)
    edit = bound(FileOperations.edit)
    search = bound(FileOperations.search)
    remove = bound(FileOperations.remove)


class WorkspacePatch(_Bound[PatchOperations]):
    """`ws.patch`."""

    apply = bound(PatchOperations.apply)


class WorkspaceDisk(_Bound[DiskOperations]):
    """`ws.disk`."""

    list = bound(DiskOperations.list)
    read = bound(DiskOperations.read)
    export = bound(DiskOperations.export)


class WorkspaceSnapshots(_Bound[SnapshotOperations]):
    """`ws.snapshot`."""

    create = bound(SnapshotOperations.create)
    list = bound(SnapshotOperations.list)
    delete = bound(SnapshotOperations.delete)


class WorkspaceServices(_Bound[ServiceOperations]):
    """`ws.service`."""

    start = bound(ServiceOperations.start)
    list = bound(ServiceOperations.list)
    status = bound(ServiceOperations.status)
    logs = bound(ServiceOperations.logs)
    stop = bound(ServiceOperations.stop)


class WorkspaceShells(_Bound[ShellOperations]):
    """`ws.shell`."""

    open = bound(ShellOperations.open)
    write = bound(ShellOperations.write)
    read = bound(ShellOperations.read)
    signal = bound(ShellOperations.signal)
    resize = bound(ShellOperations.resize)
    close = bound(ShellOperations.close)
    list = bound(ShellOperations.list)


class Workspace(_Bound[WorkspaceOperations], Handle):
    """A workspace. It stays the same one when it is renamed; as a context manager it is deleted at the end of the block."""

    info: WorkspaceStatus

    status = bound(WorkspaceOperations.status)
    update = bound(WorkspaceOperations.update)
    exec = bound(WorkspaceOperations.exec)
    exec_wait = bound(WorkspaceOperations.exec_wait)
    diff = bound(WorkspaceOperations.diff)
    summary = bound(WorkspaceOperations.summary)
    export = bound(WorkspaceOperations.export)
    logs = bound(WorkspaceOperations.logs)
    reset = bound(WorkspaceOperations.reset)
    delete = bound(WorkspaceOperations.delete)
    start = bound(WorkspaceOperations.start)
    stop = bound(WorkspaceOperations.stop)
    fork = bound(WorkspaceOperations.fork)

    def __init__(self, noun: WorkspaceOperations, info: WorkspaceStatus) -> None:
        super().__init__(noun, info.workspace_id)
        self.info = info

    @property
    def output(self) -> WorkspaceOutput:
        """What its commands wrote."""
        return WorkspaceOutput(self._noun.output, self._id)

    @property
    def sync(self) -> WorkspaceSync:
        """Later changes of the host."""
        return WorkspaceSync(self._noun.sync, self._id)

    @property
    def file(self) -> WorkspaceFiles:
        """Its files."""
        return WorkspaceFiles(self._noun.file, self._id)

    @property
    def patch(self) -> WorkspacePatch:
        """Patches for its files."""
        return WorkspacePatch(self._noun.patch, self._id)

    @property
    def disk(self) -> WorkspaceDisk:
        """Its disk, while it is stopped."""
        return WorkspaceDisk(self._noun.disk, self._id)

    @property
    def snapshot(self) -> WorkspaceSnapshots:
        """Its named states."""
        return WorkspaceSnapshots(self._noun.snapshot, self._id)

    @property
    def service(self) -> WorkspaceServices:
        """Its long-running processes."""
        return WorkspaceServices(self._noun.service, self._id)

    @property
    def shell(self) -> WorkspaceShells:
        """Its terminals."""
        return WorkspaceShells(self._noun.shell, self._id)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(NotFound):  # deleted inside the block already
            self.delete()

    def __repr__(self) -> str:
        return f"<Workspace {self.info.name or self._id}>"
