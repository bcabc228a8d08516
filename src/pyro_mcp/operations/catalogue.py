"""Which operations exist, and which profile offers which: the one mapping that all doors read."""

from typing import get_args

from pyro_mcp.errors import InvalidRequest
from pyro_mcp.operations.client import Pyro
from pyro_mcp.operations.declare import Operation, Profile, declared_in

# The SDK's classes in the order of the contract, each with its path from the client.
_NOUNS: tuple[tuple[str, type], ...] = (("", Pyro),)

OPERATIONS: tuple[Operation, ...] = tuple(declared for _, noun in _NOUNS for declared in declared_in(noun))
PROFILES: tuple[Profile, ...] = get_args(Profile)


def operations_in(profile: Profile) -> tuple[Operation, ...]:
    """The operations of a profile. Raises InvalidRequest for a profile that does not exist."""
    if profile not in PROFILES:
        raise InvalidRequest(f"there is no profile {profile!r}", hint=f"Profiles: {', '.join(PROFILES)}.")
    return tuple(found for found in OPERATIONS if profile in found.profiles)


def operation_named(name: str) -> Operation:
    """Find an operation by its name."""
    return next(found for found in OPERATIONS if found.name == name)
