from ipaddress import ip_address

import pytest

from pyro_mcp.network.destinations import parse_destination


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("PyPI.org", "pypi.org"),
        ("pypi.org.", "pypi.org"),
        ("_http._tcp.deb.debian.org", "_http._tcp.deb.debian.org"),
        ("localhost", "localhost"),
        ("a.1b", "a.1b"),
        ("127.0.0.1", ip_address("127.0.0.1")),
        ("::1", ip_address("::1")),
        ("::FFFF:127.0.0.1", ip_address("::ffff:127.0.0.1")),
    ],
)
def test_names_and_addresses(text: str, meant: object) -> None:
    assert parse_destination(text) == meant


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            ".",
            "a..b",
            "-a.b",
            "a-.b",
            "a b",
            "a/b",
            "a:80",
            "user@host",
            "a\x00b",
            "ä.de",
            "*.a",
            "fe80::1%eth0",
        ),
        *("127.1", "0x7f.1", "2130706433", "0177.0.0.1", "0x7f000001", "127.0.0.01", "1.2.3.4.5"),
        "x" * 64 + ".org",
        ".".join(["abcdefgh"] * 30),
    ],
)
def test_neither(text: str) -> None:
    assert parse_destination(text) is None


def test_the_hosts_own_name_is_its_loopback_address() -> None:
    assert parse_destination("Host.Pyro.Internal.") == ip_address("127.0.0.1")
