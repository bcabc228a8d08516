"""Set up a network interface by rtnetlink(7): a few messages, no program."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager

# <linux/rtnetlink.h>, <linux/netlink.h>, <linux/if_addr.h>
_NEWLINK, _NEWADDR, _NEWROUTE = 16, 20, 24
_REQUEST, _ACK, _CREATE, _REPLACE = 0x1, 0x4, 0x400, 0x100
_IFF_UP = 1
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_IFA_F_NODAD = 2  # nobody else is there who could have the address
_RTA_OIF = 4
_TABLE_MAIN, _BY_BOOT, _SCOPE_LINK, _UNICAST = 254, 3, 253, 1
_HEADER = struct.Struct("=IHHII")


@contextmanager
def opened() -> Iterator[Netlink]:
    """Talk to the kernel inside the block."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0) as line:
        yield Netlink(line)


class Netlink:
    """One conversation with the kernel; each call raises OSError where it refuses."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line

    def up(self, interface: int) -> None:
        """Switch an interface on."""
        self._ask(_NEWLINK, 0, struct.pack("=BxHiII", 0, 0, interface, _IFF_UP, _IFF_UP))

    def add_address(self, interface: int, address: str, prefix: int) -> None:
        """Give an interface an address."""
        family, packed = _packed(address)
        body = struct.pack("=BBBBI", family, prefix, _IFA_F_NODAD, 0, interface)
        self._ask(
            _NEWADDR,
            _CREATE | _REPLACE,
            body + _attribute(_IFA_LOCAL, packed) + _attribute(_IFA_ADDRESS, packed),
        )

    def add_default_route(self, interface: int, family: int) -> None:
        """Send through this interface what has no other way."""
        body = struct.pack("=BBBBBBBBI", family, 0, 0, 0, _TABLE_MAIN, _BY_BOOT, _SCOPE_LINK, _UNICAST, 0)
        self._ask(_NEWROUTE, _CREATE | _REPLACE, body + _attribute(_RTA_OIF, struct.pack("=I", interface)))

    def _ask(self, kind: int, flags: int, body: bytes) -> None:
        size = _HEADER.size + len(body)
        self._line.send(_HEADER.pack(size, kind, _REQUEST | _ACK | flags, 1, 0) + body)
        (error,) = struct.unpack_from("=i", self._line.recv(8192), _HEADER.size)
        if error:
            raise OSError(-error, f"{os.strerror(-error)} (netlink message {kind})")


def _packed(address: str) -> tuple[int, bytes]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return family, socket.inet_pton(family, address)


def _attribute(kind: int, data: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)
