"""Carry out tool calls: each on a thread of its own, so that none delays another; cancelled, its command is stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TypeVar

import anyio
import anyio.to_thread
import mcp_types as types
from mcp.server.session import ServerSession
from mcp.shared.exceptions import MCPError

from pyro_mcp.errors import PyroError
from pyro_mcp.host.interruption import Interruption, interruptible
from pyro_mcp.mcp_server.bounds import bounded, bounded_text
from pyro_mcp.mcp_server.builds import Builds
from pyro_mcp.mcp_server.reports import Reports
from pyro_mcp.mcp_server.roots import Roots
from pyro_mcp.mcp_server.schema import arguments_from
from pyro_mcp.mcp_server.texts.answers import error_text, resumed_line, spelling
from pyro_mcp.mcp_server.texts.by_operation import BOUNDED, text_of
from pyro_mcp.models.encoding import as_object
from pyro_mcp.models.narrowing import narrowed
from pyro_mcp.operations.catalogue import operations_in
from pyro_mcp.operations.client import Pyro
from pyro_mcp.operations.declare import Operation, Profile
from pyro_mcp.progress import listening, remarks

# Calls that wait cost a thread each and nothing else; a host that has more than these under way has lost its way.
_CALLS_AT_ONCE = 64
T = TypeVar("T")

# Where in an answer's _meta the facts of an error are.
ERROR = "pyro/error"


class Calls:
    """The calls of one server, whatever they came in by."""

    def __init__(self, pyro: Pyro, profile: Profile, roots: Roots) -> None:
        self._pyro = pyro
        self._profile = profile
        self._roots = roots
        self._operations = {operation.name: operation for operation in operations_in(profile)}
        self._builds = Builds(pyro)
        self._under_way: set[Interruption] = set()
        self._leaving = False

    async def call(
        self, session: ServerSession, params: types.CallToolRequestParams, *, told: bool
    ) -> types.CallToolResult:
        """Answer one tool call. What goes wrong in it is an answer, too; only a tool that does not exist raises.

        `told`: the caller is told of progress, and so waits for an environment that has to be built.
        """
        operation = self._operations.get(params.name)
        if operation is None:
            offered = ", ".join(self._operations)
            raise MCPError(
                types.INVALID_PARAMS, f"no tool {params.name!r} in profile {self._profile}: {offered}"
            )
        return await self.told(session, partial(self._perform, operation, params.arguments or {}, told))

    async def told(self, session: ServerSession, work: Callable[[], T]) -> T:
        """Do blocking work; the caller hears of its steps, and can cancel it."""
        with Reports() as reports, interruptible() as interruption:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(reports.forward, session)
                answer = await self.on_a_thread(interruption, partial(_listened, reports, work))
                reports.end()
        return answer

    async def on_a_thread(self, interruption: Interruption, work: Callable[[], T]) -> T:
        """Let a blocking call delay no other. A cancelled one is waited for all the same: its machine ends first."""
        self._under_way.add(interruption)
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._stop_when_cancelled, interruption)
                answer = await anyio.to_thread.run_sync(work, limiter=self._threads())
                tasks.cancel_scope.cancel()
        finally:
            self._under_way.discard(interruption)
        return answer

    def leave(self) -> None:
        """Nobody waits for answers any more: commands of workspaces go on without us, throwaway machines end."""
        self._leaving = True
        for interruption in self._under_way:
            interruption.leave()

    async def _stop_when_cancelled(self, interruption: Interruption) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            if self._leaving:
                interruption.leave()
            else:
                interruption.request(kill=True)

    def _perform(
        self, operation: Operation, given: Mapping[str, object], patient: bool
    ) -> types.CallToolResult:
        """Carry out one call, on a thread of its own; the one translation of errors."""
        try:
            arguments = self._arguments(operation, given)
            if not patient:
                self._builds.ready(operation, arguments)
            with remarks() as remarked:
                answer = operation.call(self._pyro, **arguments)
        except PyroError as error:
            return error_result(error, self._operations)
        narrow = self._profile != "workspace-full"
        # Sparse: some hosts show their model this instead of the text.
        whole = as_object(answer, operation.plural, narrow=narrow, sparse=True, remarks=remarked)
        structured, cuts = bounded(whole)
        told = text_of(operation.name, narrowed(answer) if narrow else answer, wide=not narrow)
        text = bounded_text(told, [] if operation.name in BOUNDED else cuts)
        if remarked.get("resumed") and not hasattr(answer, "resumed"):
            text = f"({resumed_line(str(remarked['resumed_reason']), wide=not narrow)})\n{text}"
        return types.CallToolResult(content=[_text(text)], structured_content=structured)

    def _arguments(self, operation: Operation, given: Mapping[str, object]) -> dict[str, object]:
        arguments = arguments_from(operation, self._profile, given)
        return self._roots.confined(operation.parameters_in(self._profile), arguments)

    def _threads(self) -> anyio.CapacityLimiter:
        """Made in the event loop that uses it."""
        if not hasattr(self, "_limiter"):
            self._limiter = anyio.CapacityLimiter(_CALLS_AT_ONCE)
        return self._limiter


def error_result(error: PyroError, offered: Iterable[str] = ()) -> types.CallToolResult:
    """An error as a tool's answer: what went wrong, what to do with the tools that are offered; and the facts for programs.

    No structured content: it is not of the tool's output schema, and clients made with the TypeScript SDK (OpenCode, the
    Inspector) would tell their model that, instead of the error.
    """
    hint = error.hint_for(spelling(offered))
    told = {"code": error.code, "brief": error.brief, "details": error.details, "hint": hint}
    facts = {name: None if value is None else _sendable(value) for name, value in told.items()}
    text = error_text(type(error)(error.brief, details=error.details, hint=hint))
    return types.CallToolResult(content=[_text(text)], _meta={ERROR: facts}, is_error=True)


def _listened(reports: Reports, work: Callable[[], T]) -> T:
    with listening(reports):
        return work()


def _text(text: str) -> types.TextContent:
    return types.TextContent(type="text", text=_sendable(text))


def _sendable(text: str) -> str:
    """A text that JSON can carry: half a surrogate pair, of a name that is no UTF-8, would end the whole server."""
    return text.encode("utf-8", "backslashreplace").decode()
