"""Addresses that no guest reaches unless a rule names them: this host's own side of the world.

Exactly these, and not Python's `is_private`: some networks serve public names from documentation ranges.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from pyro_mcp.network.destinations import Address

_REFUSED_4 = {
    IPv4Network("0.0.0.0/8"): "this network",
    IPv4Network("10.0.0.0/8"): "a private network",
    IPv4Network("100.64.0.0/10"): "a provider's own network",
    IPv4Network("127.0.0.0/8"): "a loopback address",
    IPv4Network("169.254.0.0/16"): "a link-local or metadata address",
    IPv4Network("172.16.0.0/12"): "a private network",
    IPv4Network("192.168.0.0/16"): "a private network",
    IPv4Network("224.0.0.0/3"): "a multicast or reserved address",
}
_REFUSED_6 = {
    IPv6Network("::/128"): "no address",
    IPv6Network("::1/128"): "a loopback address",
    IPv6Network("fc00::/7"): "a private network",
    IPv6Network("fe80::/10"): "a link-local address",
}
# Their last 32 bits are an IPv4 address: RFC 4291 (mapped), RFC 6052 and 8215 (NAT64).
_HOLDS_IPV4 = (IPv6Network("::ffff:0:0/96"), IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
# What the guest's own resolver gives names; an address of it without a name means nothing out here.
PLACEHOLDERS = IPv4Network("198.18.0.0/15")


def meant(address: Address) -> Address:
    """Give the IPv4 address that an IPv6 address stands for, or the address itself."""
    if isinstance(address, IPv6Address) and any(address in network for network in _HOLDS_IPV4):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def refused_range(address: Address) -> str | None:
    """Say what kind of address that nobody reaches it is; None for any other."""
    plain = meant(address)
    if isinstance(plain, IPv4Address):
        return next((what for network, what in _REFUSED_4.items() if plain in network), None)
    return next((what for network, what in _REFUSED_6.items() if plain in network), None)
