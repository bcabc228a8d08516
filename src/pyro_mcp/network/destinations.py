"""What a guest may call a destination: a name that can be resolved, or an address. Everything else is not asked for at all."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address

Address = IPv4Address | IPv6Address

# What a guest calls the computer that it runs on, for 127.0.0.1 is the guest itself. `internal` is nobody's on the Internet.
HOST_NAME = "host.pyro.internal"
HOST_ADDRESS = IPv4Address("127.0.0.1")
_LONGEST_NAME = 253
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
# The resolver reads these as addresses in shorthand (127.1, 0x7f.1, 2130706433): what looks so is no name.
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")


def parse_destination(text: str) -> str | Address | None:
    """Give the name in lower case without its last dot, or the address; None for what is neither.

    `host.pyro.internal` is this host's loopback address, which nobody reaches but by a rule that names it.
    """
    plain = text.lower().removesuffix(".")
    address = parse_address(plain)
    if address is not None:
        return address
    if plain == HOST_NAME:
        return HOST_ADDRESS
    labels = plain.split(".")
    if len(plain) > _LONGEST_NAME or not all(map(_LABEL.fullmatch, labels)):
        return None
    return None if _NUMBER.fullmatch(labels[-1]) else plain


def parse_address(text: str) -> Address | None:
    """Read an address as the standard writes them; one with a zone is none."""
    try:
        return ip_address(text) if "%" not in text else None
    except ValueError:
        return None
