"""The machine's network: a road that leads nowhere, and rules that turn every connection round to the agent.

There is no network card. A dummy interface has the default routes, so that any address can be connected to, and what is sent
there is caught on its way out (`redirect.py`, `names.py`). All of it is made before the machine is frozen, for every policy: the
host decides, and a refusal is as fast as an answer.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress

from pyro_agent.network import netlink

INTERFACE = "dummy0"  # made by the module when it was loaded
ADDRESS, ADDRESS_6 = "198.18.0.1", "fd70:7972:6f00::1"
NAMESERVER = "198.18.0.2"
# On the loopback addresses; above the range from which the kernel takes ports for outgoing connections.
CONNECTIONS_PORT, NAMES_PORT = 64001, 64053

_RULES = f"""
table inet pyro {{
  chain caught {{
    type nat hook output priority -100;
    ip daddr 127.0.0.0/8 accept
    ip daddr {ADDRESS} accept
    ip6 daddr ::1 accept
    ip6 daddr {ADDRESS_6} accept
    udp dport 53 redirect to :{NAMES_PORT}
    tcp dport 53 redirect to :{NAMES_PORT}
    meta l4proto tcp redirect to :{CONNECTIONS_PORT}
  }}
}}
"""
# A connection that is over need not be remembered: thousands a second would fill the kernel's table for minutes.
_SETTINGS = {
    "net/netfilter/nf_conntrack_tcp_timeout_time_wait": "1",
    "net/netfilter/nf_conntrack_tcp_timeout_close": "1",
    "net/netfilter/nf_conntrack_udp_timeout": "5",
    "net/ipv4/tcp_tw_reuse": "1",
    "net/core/somaxconn": "4096",
}


def prepare() -> None:
    """Make interface, addresses, routes and rules."""
    index = socket.if_nametoindex(INTERFACE)
    with netlink.opened() as kernel:
        kernel.up(socket.if_nametoindex("lo"))
        kernel.up(index)
        kernel.add_address(index, ADDRESS, 32)
        kernel.add_address(index, ADDRESS_6, 128)
        for family in (socket.AF_INET, socket.AF_INET6):
            kernel.add_default_route(index, family)
    _load_rules()
    for name, value in _SETTINGS.items():
        with suppress(FileNotFoundError), open(f"/proc/sys/{name}", "w") as file:
            file.write(value)


def _load_rules() -> None:
    path = "/run/pyro.nft"
    with open(path, "w") as file:
        file.write(_RULES)
    program = os.posix_spawn("/usr/sbin/nft", ["nft", "-f", path], {})
    if status := os.waitpid(program, 0)[1]:
        raise OSError(f"nft ended with status {os.waitstatus_to_exitcode(status)}")
    os.unlink(path)


def listening(port: int, kind: int) -> list[socket.socket]:
    """Give non-blocking sockets on both loopback addresses; the rules send there what was meant for anywhere."""
    found = []
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        listener = socket.socket(family, kind | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        if kind == socket.SOCK_STREAM:
            listener.listen(4096)
        found.append(listener)
    return found
