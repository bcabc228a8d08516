"""One entry of `allow_hosts`: a name, `*.domain`, `*`, an address or a network, each with a port or without."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

from pyro_mcp.network.destinations import Address, parse_destination
from pyro_mcp.network.ranges import meant

_LAST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Rule:
    """`name` is a name, or what follows `*.`; with neither name nor network it is `*`: every name and public address."""

    name: str | None
    below: bool
    network: IPv4Network | IPv6Network | None
    port: int | None

    def allows_name(self, name: str, port: int | None) -> bool:
        """Tell whether it names this name; a port of None asks for any port."""
        if self.network is not None or not self._allows_port(port):
            return False
        if self.name is None:
            return True
        return name.endswith(f".{self.name}") if self.below else name == self.name

    def allows_any_address(self, port: int | None) -> bool:
        """Tell whether it allows public addresses that nobody named."""
        return self.name is None and self.network is None and self._allows_port(port)

    def names_address(self, address: Address, port: int | None) -> bool:
        """Tell whether it names this very address; a port of None asks for any port."""
        if self.network is None or not self._allows_port(port):
            return False
        plain = meant(address)
        return plain.version == self.network.version and plain in self.network

    def _allows_port(self, port: int | None) -> bool:
        return self.port is None or port is None or port == self.port


def parse_rule(text: str) -> Rule:
    """Read one entry; raise ValueError that completes "… is not allowed: "."""
    host, port = _split(text.strip().lower())
    if host == "*":
        return Rule(None, below=False, network=None, port=port)
    if host.startswith("*."):
        return Rule(_name(host[2:]), below=True, network=None, port=port)
    network = _network(host)
    if network is not None:
        return Rule(None, below=False, network=network, port=port)
    return Rule(_name(host), below=False, network=None, port=port)


def _split(text: str) -> tuple[str, int | None]:
    if "://" in text:
        raise ValueError("a URL where a host belongs; leave out the scheme and the path")
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise ValueError("an IPv6 address with a port is written [ADDRESS]:PORT")
        return host, _port(rest[1:]) if rest else None
    if text.count(":") != 1:
        return text, None  # an IPv6 address without a port, or no port at all
    host, _, port = text.partition(":")
    return host, _port(port)


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= _LAST_PORT:
        raise ValueError(f"{text!r} is not a port")
    return int(text)


def _network(host: str) -> IPv4Network | IPv6Network | None:
    if "/" in host:
        try:
            return ip_network(host)
        except ValueError as error:
            raise ValueError(str(error)) from None
    address = parse_destination(host)
    return None if address is None or isinstance(address, str) else ip_network(meant(address))


def _name(host: str) -> str:
    name = parse_destination(host)
    if not isinstance(name, str):
        raise ValueError(f"{host!r} is neither a host's name, *.DOMAIN nor an address")
    return name
