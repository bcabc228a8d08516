"""One published port, as it is asked for, recorded and told."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from pyro_wire import messages
from pyro_wire.messages import Message, MessageError


@dataclass(frozen=True, slots=True)
class Port:
    """An address and port of this host, and the port of the guest that they lead to."""

    address: str
    host_port: int
    guest_port: int
    service: str

    @classmethod
    def from_message(cls, message: Message) -> Port:
        """Read one; raises MessageError."""
        address = messages.text(message, "address")
        try:
            socket.inet_pton(family_of(address), address)
        except (OSError, ValueError):
            raise MessageError(f"address: {address[:60]!r} is none") from None
        return cls(
            address,
            messages.integer(message, "host_port", low=1, high=65535),
            messages.integer(message, "guest_port", low=1, high=65535),
            messages.text(message, "service"),
        )

    def __str__(self) -> str:
        return (
            f"[{self.address}]:{self.host_port}"
            if ":" in self.address
            else f"{self.address}:{self.host_port}"
        )


def family_of(address: str) -> socket.AddressFamily:
    """Tell an address of IPv6 by its colons."""
    return socket.AF_INET6 if ":" in address else socket.AF_INET
