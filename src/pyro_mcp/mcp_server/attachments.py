"""What people pick by hand in a chat host: resources to attach, prompts to start from, and the completion of both."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError

from pyro_mcp.errors import InvalidRequest, NotFound, PyroError
from pyro_mcp.mcp_server.calls import Calls
from pyro_mcp.mcp_server.prompts import prompt_named, prompts_in
from pyro_mcp.mcp_server.resources import Resources
from pyro_mcp.operations.client import Pyro
from pyro_mcp.operations.declare import Profile

Context = ServerRequestContext[object]
T = TypeVar("T")


class Attachments:
    """The requests of one server that are no tool calls. They block no more than those do."""

    def __init__(self, calls: Calls, pyro: Pyro, profile: Profile) -> None:
        self._calls = calls
        self._resources = Resources(pyro, profile)
        self._pyro = pyro
        self._profile = profile

    def offer(self, server: Server[object]) -> None:
        """Answer them in `server`."""
        paged = types.PaginatedRequestParams
        server.add_request_handler("resources/list", paged, self._list_resources)
        server.add_request_handler("resources/templates/list", paged, self._list_templates)
        server.add_request_handler("resources/read", types.ReadResourceRequestParams, self._read)
        server.add_request_handler("prompts/list", paged, self._list_prompts)
        server.add_request_handler("prompts/get", types.GetPromptRequestParams, self._get_prompt)
        server.add_request_handler("completion/complete", types.CompleteRequestParams, self._complete)

    async def _list_resources(self, context: Context, params: object) -> types.ListResourcesResult:
        return types.ListResourcesResult(resources=await self._done(context, self._resources.listed))

    async def _list_templates(self, context: Context, params: object) -> types.ListResourceTemplatesResult:
        return types.ListResourceTemplatesResult(resource_templates=self._resources.templates())

    async def _read(
        self, context: Context, params: types.ReadResourceRequestParams
    ) -> types.ReadResourceResult:
        contents = await self._done(context, lambda: self._resources.read(params.uri))
        return types.ReadResourceResult(contents=[contents])

    async def _list_prompts(self, context: Context, params: object) -> types.ListPromptsResult:
        return types.ListPromptsResult(
            prompts=[item.described() for item in prompts_in(self._profile).values()]
        )

    async def _get_prompt(
        self, context: Context, params: types.GetPromptRequestParams
    ) -> types.GetPromptResult:
        with _refusing():
            prompt = prompt_named(params.name, self._profile)
            text = prompt.filled(params.arguments or {}, self._profile)
        message = types.PromptMessage(role="user", content=types.TextContent(type="text", text=text))
        return types.GetPromptResult(description=prompt.description, messages=[message])

    async def _complete(self, context: Context, params: types.CompleteRequestParams) -> types.CompleteResult:
        """Names of workspaces and of environments; anything else is the caller's own."""
        begun = params.argument.value
        values: list[str] = []
        if isinstance(params.ref, types.ResourceTemplateReference) and params.argument.name == "name":
            values = await self._done(context, lambda: self._resources.names(begun))
        elif params.argument.name == "environment":
            known = await self._done(context, self._pyro.environments)
            values = [item.name for item in known if item.name.startswith(begun)]
        return types.CompleteResult(
            completion=types.Completion(values=values, total=len(values), has_more=False)
        )

    async def _done(self, context: Context, work: Callable[[], T]) -> T:
        with _refusing():
            return await self._calls.told(context.session, work)


class _refusing:  # noqa: N801 - reads as what it does to a block
    """Turn our errors into the protocol's: these requests have no answer that could say what went wrong."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        found = _only(error)
        if isinstance(found, PyroError):
            wrong = isinstance(found, InvalidRequest | NotFound)
            code = types.INVALID_PARAMS if wrong else types.INTERNAL_ERROR
            raise MCPError(code, str(found), {"code": found.code, "hint": found.hint}) from error


def _only(error: BaseException | None) -> BaseException | None:
    """The error in the groups that task groups make of it."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error
