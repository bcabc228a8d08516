"""The MCP server: each operation of a profile is a tool.

The SDK's low-level server, because its high-level one writes schemas with titles and nulls and lets unknown arguments pass.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.metadata import version

import anyio
import anyio.to_thread
import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.shared.exceptions import MCPError

from pyro_mcp.errors import PyroError
from pyro_mcp.host.interruption import Interruption, interruptible
from pyro_mcp.mcp_server.bounds import bounded, bounded_text
from pyro_mcp.mcp_server.reports import Reports
from pyro_mcp.mcp_server.roots import Roots
from pyro_mcp.mcp_server.schema import arguments_from, input_schema, output_schema, withheld
from pyro_mcp.mcp_server.text import error_text
from pyro_mcp.mcp_server.texts import TEXTS
from pyro_mcp.models.encoding import as_object
from pyro_mcp.models.narrowing import narrowed
from pyro_mcp.models.workspace_arguments import ANSWER_CHARS
from pyro_mcp.operations.catalogue import operations_in
from pyro_mcp.operations.client import Pyro
from pyro_mcp.operations.declare import Operation, Profile
from pyro_mcp.progress import listening

# For each of two streams.
_STREAM_BYTES = ANSWER_CHARS // 2
# Calls that wait cost a thread each and nothing else; a host that has more than these under way has lost its way.
_CALLS_AT_ONCE = 64

_INSTRUCTIONS = "pyro runs commands in small throwaway Linux machines. They never touch this computer."


class PyroServer:
    """A server of one profile. `run()` serves standard input and output; `mcp` is the SDK's server, for other transports."""

    def __init__(self, pyro: Pyro, profile: Profile, host_roots: Sequence[str] = ()) -> None:
        self._roots = Roots.given_or_default(host_roots)
        self._pyro = pyro.bounded(_STREAM_BYTES, self._roots.confine)
        self._profile = profile
        self._operations = {operation.name: operation for operation in operations_in(profile)}
        self.mcp: Server[object] = Server(
            "pyro",
            version=version("pyro-mcp"),
            instructions=_INSTRUCTIONS,
            on_list_tools=self._list_tools,
            on_call_tool=self._call_tool,
        )

    def run(self) -> None:
        """Serve until standard input ends; what still runs is killed then."""
        anyio.run(self._serve_stdio)

    def tools(self) -> list[types.Tool]:
        """Describe the profile's operations."""
        return [_tool(operation, self._profile) for operation in self._operations.values()]

    async def _serve_stdio(self) -> None:
        async with stdio_server() as (receiving, sending):
            await self.mcp.run(receiving, sending, self.mcp.create_initialization_options())

    async def _list_tools(
        self, context: ServerRequestContext[object], params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        return types.ListToolsResult(tools=self.tools())

    async def _call_tool(
        self, context: ServerRequestContext[object], params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        operation = self._operations.get(params.name)
        if operation is None:
            offered = ", ".join(self._operations)
            raise MCPError(
                types.INVALID_PARAMS, f"no tool {params.name!r} in profile {self._profile}: {offered}"
            )
        given = params.arguments or {}
        with Reports() as reports, interruptible() as interruption:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(reports.forward, context.session)
                answer = await self._on_a_thread(
                    interruption, partial(self._perform, operation, given, reports)
                )
                reports.end()
        return answer

    async def _on_a_thread(
        self, interruption: Interruption, work: Callable[[], types.CallToolResult]
    ) -> types.CallToolResult:
        """Let a blocking call delay no other. A cancelled one is waited for all the same: its machine ends first."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_kill_when_cancelled, interruption)
            answer = await anyio.to_thread.run_sync(work, limiter=self._threads())
            tasks.cancel_scope.cancel()
        return answer

    def _perform(
        self, operation: Operation, given: Mapping[str, object], reports: Reports
    ) -> types.CallToolResult:
        """Carry out one call, on a thread of its own; the one translation of errors."""
        try:
            with listening(reports):
                answer = operation.call(self._pyro, **self._arguments(operation, given))
        except PyroError as error:
            return _error_result(error)
        unsaid = withheld(operation, self._profile)
        answer = narrowed(answer) if unsaid else answer
        said = {
            name: value for name, value in as_object(answer, operation.plural).items() if name not in unsaid
        }
        structured, cuts = bounded(said)
        text = bounded_text(TEXTS[operation.name](answer), cuts)
        return types.CallToolResult(content=[_text(text)], structured_content=structured)

    def _arguments(self, operation: Operation, given: Mapping[str, object]) -> dict[str, object]:
        arguments = arguments_from(operation, self._profile, given)
        return self._roots.confined(operation.parameters_in(self._profile), arguments)

    def _threads(self) -> anyio.CapacityLimiter:
        """Made in the event loop that uses it."""
        if not hasattr(self, "_limiter"):
            self._limiter = anyio.CapacityLimiter(_CALLS_AT_ONCE)
        return self._limiter


async def _kill_when_cancelled(interruption: Interruption) -> None:
    try:
        await anyio.sleep_forever()
    finally:
        interruption.request(kill=True)


def _tool(operation: Operation, profile: Profile) -> types.Tool:
    reads = operation.effect == "reads"
    return types.Tool(
        name=operation.name,
        description=operation.description,
        input_schema=input_schema(operation, profile),
        output_schema=output_schema(operation, profile),
        annotations=types.ToolAnnotations(
            read_only_hint=reads,
            destructive_hint=operation.effect == "destroys",
            idempotent_hint=reads,
            open_world_hint=False,
        ),
    )


def _error_result(error: PyroError) -> types.CallToolResult:
    facts = {"code": error.code, "brief": error.brief, "details": error.details, "hint": error.hint}
    return types.CallToolResult(
        content=[_text(error_text(error))], structured_content={"error": facts}, is_error=True
    )


def _text(text: str) -> types.TextContent:
    return types.TextContent(type="text", text=text)
