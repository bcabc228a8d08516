"""A machine's network policy, from what a caller asks for to what its keeper is told."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pyro_mcp.errors import InvalidRequest
from pyro_mcp.host.certificates import added_certificates
from pyro_mcp.keeper.plan import Network
from pyro_mcp.models.network import NetworkPolicy, NetworkSettings
from pyro_mcp.network.policy import Policy

RECORD = "network.jsonl"


def network_settings(
    policy: NetworkPolicy, allow_hosts: Sequence[str], *, no_host_ca: bool = False
) -> NetworkSettings:
    """Check what a caller asks for; raise InvalidRequest for a rule that cannot be read, or that nothing would heed."""
    try:
        Policy.of(policy, allow_hosts)
    except ValueError as error:
        raise InvalidRequest(
            f"allow_hosts: {error}",
            hint="An entry is a host (pypi.org), *.DOMAIN, HOST:PORT, *, or an address or network, with or without a port.",
        ) from None
    if allow_hosts and policy == "off":
        raise InvalidRequest(
            "allow_hosts means nothing while network_policy is off",
            hint="Ask for <<network_policy=egress>>: then only these hosts are reached.",
        )
    return NetworkSettings(policy=policy, allow_hosts=tuple(allow_hosts), host_ca=not no_host_ca)


def network_plan(settings: NetworkSettings, directory: Path | None) -> Network:
    """Say to a keeper what its machine may reach; decisions are kept in `directory`."""
    trusted = settings.host_ca and settings.policy != "off"
    return Network(
        policy=settings.policy,
        allow_hosts=settings.allow_hosts,
        certificates=added_certificates() if trusted else "",
        record=None if directory is None else str(directory / RECORD),
    )
