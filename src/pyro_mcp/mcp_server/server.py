"""The MCP server: each operation of a profile is a tool.

The SDK's low-level server, because its high-level one writes schemas with titles and nulls and lets unknown arguments pass.
"""

from collections.abc import Sequence
from functools import cached_property
from importlib.metadata import version

import anyio
import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server

from pyro_mcp.mcp_server.attachments import Attachments
from pyro_mcp.mcp_server.calls import Calls
from pyro_mcp.mcp_server.guide import guide
from pyro_mcp.mcp_server.prompts import prompts_in
from pyro_mcp.mcp_server.roots import Roots
from pyro_mcp.mcp_server.stdio import served_over_stdio
from pyro_mcp.mcp_server.tools import tool
from pyro_mcp.models.workspace_arguments import ANSWER_CHARS
from pyro_mcp.operations.catalogue import operations_in
from pyro_mcp.operations.client import Pyro
from pyro_mcp.operations.declare import Profile

# For each of two streams.
_STREAM_BYTES = ANSWER_CHARS // 2


class PyroServer:
    """A server of one profile. `run()` serves standard input and output; `mcp` is the SDK's server, for other transports.

    Without `host_roots`, callers reach files of this computer below the working directory, unless that is / or the home
    directory; with `working_directory=False` none at all.
    """

    def __init__(
        self,
        pyro: Pyro,
        profile: Profile,
        host_roots: Sequence[str] = (),
        *,
        working_directory: bool = True,
    ) -> None:
        roots = Roots.given_or_default(host_roots) if working_directory else Roots(host_roots)
        self._profile = profile
        self._operations = operations_in(profile)
        bounded = pyro.bounded(_STREAM_BYTES, roots.confine, narrow=profile != "workspace-full")
        self._calls = Calls(bounded, profile, roots)
        self.mcp: Server[object] = Server(
            "pyro",
            title="pyro",
            version=version("pyro-mcp"),
            instructions=f"{guide(profile)}\n\n{roots.told}" if self._takes_paths else guide(profile),
            on_list_tools=self._list_tools,
            on_call_tool=self._call_tool,
        )
        if prompts_in(profile):
            Attachments(self._calls, bounded, profile).offer(self.mcp)

    @property
    def _takes_paths(self) -> bool:
        offered = (item for operation in self._operations for item in operation.parameters_in(self._profile))
        return any(parameter.argument.host_path for parameter in offered)

    def run(self, *, linger_seconds: float | None = None) -> None:
        """Serve standard input and output until the input ends.

        Commands of workspaces that are waited for then go on, and can be found again; throwaway machines end. With
        `linger_seconds` the whole process ends so long after that, whatever it is still at.
        """
        anyio.run(self._serve_stdio, linger_seconds)

    def tools(self) -> list[types.Tool]:
        """Describe the profile's operations."""
        return self._tools

    def leave(self) -> None:
        """Say that nobody waits for answers any more."""
        self._calls.leave()

    @cached_property
    def _tools(self) -> list[types.Tool]:
        return [tool(operation, self._profile) for operation in self._operations]

    async def _serve_stdio(self, linger_seconds: float | None) -> None:
        async with served_over_stdio(self.leave, linger_seconds) as (receiving, sending):
            await self.mcp.run(receiving, sending, self.mcp.create_initialization_options())

    async def _list_tools(
        self, context: ServerRequestContext[object], params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        return types.ListToolsResult(tools=self._tools)

    async def _call_tool(
        self, context: ServerRequestContext[object], params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        told = bool(context.meta and context.meta.get("progress_token") is not None)
        return await self._calls.call(context.session, params, told=told)
