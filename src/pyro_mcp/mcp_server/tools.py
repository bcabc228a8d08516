"""Operations as tools: everything that a host or a model is told of one is read off its declaration."""

from __future__ import annotations

from functools import cache

import mcp_types as types

from pyro_mcp.mcp_server.schema import input_schema, output_schema
from pyro_mcp.operations.catalogue import operations_in
from pyro_mcp.operations.declare import Operation, Profile

# Arguments of operations that run what the caller gives: code that goes where the network policy lets it.
_CODE = frozenset({"command", "input"})


def tool(operation: Operation, profile: Profile) -> types.Tool:
    """Describe an operation as a profile offers it."""
    return types.Tool(
        name=operation.name,
        title=operation.title,
        description=operation.description,
        input_schema=input_schema(operation, profile),
        output_schema=output_schema(operation, profile),
        annotations=types.ToolAnnotations(
            read_only_hint=operation.effect == "reads",
            destructive_hint=_destroys(operation),
            idempotent_hint=operation.idempotent,
            open_world_hint=_reaches_out(operation, profile),
        ),
    )


def _destroys(operation: Operation) -> bool:
    """Whether something may be gone for good: of a workspace, or of this computer where it may overwrite files.

    A push that overwrites puts the host's version over work that only the workspace has.

    What a command or an edit does to a workspace is not meant: that is a copy, it has a baseline, and it is there to be changed.
    """
    names = {parameter.name for parameter in operation.parameters}
    return operation.effect == "destroys" or "overwrite" in names


def _reaches_out(operation: Operation, profile: Profile) -> bool:
    """Whether it may speak with others than this computer: it runs code, and the profile has a network to give."""
    names = {parameter.name for parameter in operation.parameters_in(profile)}
    return bool(names & _CODE) and _has_network(profile)


@cache
def _has_network(profile: Profile) -> bool:
    return any(
        parameter.name == "network_policy"
        for operation in operations_in(profile)
        for parameter in operation.parameters_in(profile)
    )
