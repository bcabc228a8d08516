"""What callers give in more than one way, made into what the engine takes."""

from collections.abc import Sequence
from typing import BinaryIO

from pyro_mcp.errors import InvalidRequest
from pyro_mcp.models.network import NetworkPolicy, NetworkSettings


def words_of(command: str | Sequence[str]) -> str | tuple[str, ...]:
    """Freeze a command; a string stays one, for `sh -c`."""
    return command if isinstance(command, str) else tuple(command)


def input_of(stdin: str | bytes | BinaryIO | None) -> bytes | int | None:
    """Turn what a caller gave as input into the bytes themselves or a descriptor to read them from."""
    if stdin is None or isinstance(stdin, bytes):
        return stdin
    if isinstance(stdin, str):
        try:
            return stdin.encode(errors="surrogateescape")
        except UnicodeEncodeError:
            raise InvalidRequest("stdin has half of a surrogate pair", hint="Give bytes.") from None
    try:
        return stdin.fileno()
    except (AttributeError, OSError):
        raise InvalidRequest(
            f"stdin is a {type(stdin).__name__} that no descriptor stands behind",
            hint="Give str, bytes, or a file that has a fileno(); read an in-memory file first.",
        ) from None


def settings_of(policy: NetworkPolicy, allow_hosts: Sequence[str], *, no_host_ca: bool) -> NetworkSettings:
    """Check what a caller asks of the network; what most ask for, nothing, costs no import."""
    if policy == "off" and not allow_hosts:
        return NetworkSettings(host_ca=not no_host_ca)
    from pyro_mcp.workspaces.machines.network import network_settings

    return network_settings(policy, allow_hosts, no_host_ca=no_host_ca)
