"""What a machine may reach, as callers say it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

NetworkPolicy = Literal["off", "egress", "egress+published-ports"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSettings:
    """The policy of a machine. `host_ca`: programs in it trust the certificates that this host has added to its own."""

    policy: NetworkPolicy = "off"
    allow_hosts: tuple[str, ...] = ()
    host_ca: bool = True


NO_NETWORK = NetworkSettings()
