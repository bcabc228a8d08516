"""Which operations exist, and which profile offers which: the one mapping that all doors read."""

from functools import cache
from importlib import import_module
from typing import get_args

from pyro_mcp.errors import InvalidRequest
from pyro_mcp.operations.declare import Operation, Profile, declared_in

# The SDK's classes in the order of the contract: the path from the client, and where the class is. A noun is imported when
# somebody asks for it, so that a command costs its own noun and no other.
_NOUNS: tuple[tuple[str, str], ...] = (
    ("", "client:Pyro"),
    ("workspace", "workspace:WorkspaceOperations"),
    ("workspace.output", "outputs:OutputOperations"),
    ("workspace.sync", "sync:SyncOperations"),
    ("workspace.file", "files:FileOperations"),
    ("workspace.patch", "patches:PatchOperations"),
    ("workspace.disk", "disks:DiskOperations"),
    ("workspace.snapshot", "snapshots:SnapshotOperations"),
    ("workspace.service", "services:ServiceOperations"),
    ("workspace.shell", "shells:ShellOperations"),
)
PROFILES: tuple[Profile, ...] = get_args(Profile)


@cache
def operations_of(path: str) -> tuple[Operation, ...]:
    """The operations of one noun, by the path from the client to it."""
    module, _, name = dict(_NOUNS)[path].partition(":")
    return tuple(declared_in(getattr(import_module(f"pyro_mcp.operations.{module}"), name), path))


def nouns_below(path: str) -> tuple[str, ...]:
    """The nouns directly below one, by their last word."""
    return tuple(noun.rpartition(".")[2] for noun, _ in _NOUNS if noun and noun.rpartition(".")[0] == path)


def all_operations() -> tuple[Operation, ...]:
    """Every operation there is."""
    return tuple(found for path, _ in _NOUNS for found in operations_of(path))


def operations_in(profile: Profile) -> tuple[Operation, ...]:
    """The operations of a profile. Raises InvalidRequest for a profile that does not exist."""
    if profile not in PROFILES:
        raise InvalidRequest(f"there is no profile {profile!r}", hint=f"Profiles: {', '.join(PROFILES)}.")
    return tuple(found for found in all_operations() if profile in found.profiles)


def operation_named(name: str) -> Operation:
    """Find an operation by its name; imports no more nouns than it has to."""
    return next(found for path, _ in _NOUNS for found in operations_of(path) if found.name == name)
