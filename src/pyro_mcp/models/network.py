"""What a machine may reach, as callers say it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

NetworkPolicy = Literal["off", "egress", "egress+published-ports"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSettings:
    """The policy of a machine. `host_ca`: programs in it trust the certificates that this host has added to its own."""

    policy: NetworkPolicy = "off"
    allow_hosts: tuple[str, ...] = ()
    host_ca: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkDecision:
    """What was decided about a host, and how often. Without a port: about the name alone. `failed`: allowed, and not there."""

    outcome: Literal["allowed", "refused", "failed"]
    host: str
    port: int | None = None
    address: str | None = None
    reason: str = ""
    count: int = 1


NO_NETWORK = NetworkSettings()


def decisions_from(told: object) -> Iterator[NetworkDecision]:
    """Read what our own keeper says that it decided."""
    for item in told if isinstance(told, list) else ():
        yield NetworkDecision(**{name: value for name, value in item.items() if name != "at"})


def decision_text(item: NetworkDecision) -> str:
    """One decision in words."""
    where = item.host if item.port is None else f"{item.host}:{item.port}"
    times = f" {item.count} times" if item.count > 1 else ""
    return f"{item.outcome} {where}{times}" + (f" ({item.reason})" if item.reason else "")
