"""What programs send that is no TCP connection: UDP, ICMP, packets made by hand. None of it leads anywhere.

It ends up on the dummy interface, where it is looked at: the host is told of each kind and its number five times a second,
and the sender gets the ICMP message that a firewall would send, so that it need not wait for an answer.
"""

from __future__ import annotations

import socket
import struct
from contextlib import suppress
from typing import NamedTuple

from pyro_agent.base.loop import READ, Loop, Timer
from pyro_agent.network import road
from pyro_agent.requests.outward import Outward

_ALL_PROTOCOLS = 3  # ETH_P_ALL
_SOL_PACKET, _STATISTICS = 263, 6
# Enough of a packet for its headers and for the part that an ICMP message quotes.
_SEEN = 128
_PACKETS_PER_TURN = 64
_REPLIES_PER_SECOND = 100
_MOST_KINDS = 50
_EVERY_S = 0.2
_NAMES = {1: "icmp", 2: "igmp", 6: "tcp", 17: "udp", 58: "icmp", 132: "sctp"}
_WITH_PORTS = frozenset({6, 17, 132})
_ICMP, _ICMP_6 = 1, 58
# Destination unreachable, administratively prohibited: RFC 1812 and RFC 4443.
_PROHIBITED, _PROHIBITED_6 = (3, 13), (1, 1)


class Stray(NamedTuple):
    """Where a packet was going."""

    protocol: str
    address: str
    port: int  # 0: it has none


class Strays:
    """Watches the interface from which nothing goes on."""

    def __init__(self, loop: Loop, outward: Outward) -> None:
        self._loop = loop
        self._outward = outward
        self._packets = socket.socket(
            socket.AF_PACKET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, 0
        )
        self._packets.bind((road.INTERFACE, _ALL_PROTOCOLS))
        self._errors = {
            version: socket.socket(
                family, socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, protocol
            )
            for version, family, protocol in (
                (4, socket.AF_INET, socket.IPPROTO_ICMP),
                (6, socket.AF_INET6, socket.IPPROTO_ICMPV6),
            )
        }
        self._counts: dict[Stray, int] = {}
        self._others = 0
        self._replies = 0
        self._report: Timer | None = None
        loop.watch(self._packets.fileno(), READ, lambda _: self._look())

    def _look(self) -> None:
        for _ in range(_PACKETS_PER_TURN):
            try:
                packet = self._packets.recv(_SEEN)
            except OSError:
                return
            stray = read(packet)
            if stray is not None:
                self._count(stray)
                self._reply(packet)

    def _count(self, stray: Stray) -> None:
        if stray in self._counts or len(self._counts) < _MOST_KINDS:
            self._counts[stray] = self._counts.get(stray, 0) + 1
        else:
            self._others += 1
        if self._report is None:
            self._report = self._loop.after(_EVERY_S, self._tell)

    def _tell(self) -> None:
        self._report = None
        self._others += struct.unpack("II", self._packets.getsockopt(_SOL_PACKET, _STATISTICS, 8))[
            1
        ]  # since it was last asked
        strays = [[*stray, count] for stray, count in self._counts.items()]
        message = {"verb": "egress.strays", "strays": strays, "others": self._others}
        if self._outward.ask(message, lambda _: None) is None:
            self._report = self._loop.after(_EVERY_S, self._tell)  # no host just now, or too much goes on
            return
        self._counts.clear()
        self._others = self._replies = 0

    def _reply(self, packet: bytes) -> None:
        """Tell the sender, as long as it does not flood."""
        self._replies += 1
        if self._replies > _REPLIES_PER_SECOND:
            return
        version = packet[0] >> 4
        message, to = prohibited(packet), (road.ADDRESS if version == 4 else road.ADDRESS_6, 0)
        with suppress(OSError):
            self._errors[version].sendto(message, to)


def read(packet: bytes) -> Stray | None:
    """Tell where an IP packet was going; None for what the kernel itself says on every interface, and for what is no IP."""
    try:
        if packet[0] >> 4 == 4:
            protocol, start = packet[9], (packet[0] & 15) * 4
            address = socket.inet_ntop(socket.AF_INET, packet[16:20])
        elif packet[0] >> 4 == 6:
            protocol, start = packet[6], 40
            address = socket.inet_ntop(socket.AF_INET6, packet[24:40])
            if packet[24] == 0xFF:  # multicast: neighbours are looked for, groups are joined
                return None
        else:
            return None
        port = int.from_bytes(packet[start + 2 : start + 4], "big") if protocol in _WITH_PORTS else 0
    except (IndexError, ValueError):
        return None
    return Stray(_NAMES.get(protocol, f"protocol {protocol}"), address, port)


def prohibited(packet: bytes) -> bytes:
    """Make the ICMP message that answers a packet, which it quotes."""
    (kind, code), quoted = (_PROHIBITED, packet[:68]) if packet[0] >> 4 == 4 else (_PROHIBITED_6, packet)
    message = struct.pack("!BBHI", kind, code, 0, 0) + quoted
    if packet[0] >> 4 == 6:
        return message  # the kernel sums up ICMPv6 by itself
    return message[:2] + checksum(message).to_bytes(2, "big") + message[4:]


def checksum(data: bytes) -> int:
    """Sum up as IP does (RFC 1071)."""
    padded = data + bytes(len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
