import socket
import struct

import pytest

from pyro_agent.network.strays import Stray, checksum, prohibited, read


def _ipv4(protocol: int, to: str, payload: bytes) -> bytes:
    addresses = socket.inet_aton("198.18.0.1") + socket.inet_aton(to)
    return struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 0, 0, 64, protocol, 0) + addresses + payload


def _ipv6(protocol: int, to: str, payload: bytes) -> bytes:
    addresses = socket.inet_pton(socket.AF_INET6, "fd70::1") + socket.inet_pton(socket.AF_INET6, to)
    return struct.pack("!IHBB", 6 << 28, len(payload), protocol, 64) + addresses + payload


_PORTS = struct.pack("!HHHH", 5000, 53, 8, 0)


@pytest.mark.parametrize(
    ("packet", "stray"),
    [
        (_ipv4(17, "8.8.8.8", _PORTS), Stray("udp", "8.8.8.8", 53)),
        (_ipv4(6, "1.2.3.4", _PORTS), Stray("tcp", "1.2.3.4", 53)),
        (_ipv4(1, "9.9.9.9", b"\x08\0\0\0"), Stray("icmp", "9.9.9.9", 0)),
        (_ipv4(47, "9.9.9.9", b""), Stray("protocol 47", "9.9.9.9", 0)),
        (_ipv6(17, "2001:db8::1", _PORTS), Stray("udp", "2001:db8::1", 53)),
        (_ipv6(58, "ff02::2", b"\x85\0\0\0"), None),
        (b"", None),
        (b"\x45\0\0", None),
        (b"\x60\0\0", None),
        (b"\x00" * 40, None),
    ],
)
def test_where_a_packet_was_going(packet: bytes, stray: Stray | None) -> None:
    assert read(packet) == stray


def test_the_answer_quotes_what_it_answers() -> None:
    packet = _ipv4(17, "8.8.8.8", _PORTS)
    message = prohibited(packet)
    assert message[:2] == bytes([3, 13])
    assert message[8:] == packet
    assert checksum(message) == 0  # the sum over a whole message, its own sum included
    assert prohibited(_ipv6(17, "2001:db8::1", _PORTS))[:2] == bytes([1, 1])
