from ipaddress import ip_address

import pytest

from pyro_mcp.network.rules import parse_rule


@pytest.mark.parametrize(
    ("rule", "name", "port", "allowed"),
    [
        ("pypi.org", "pypi.org", 443, True),
        ("PyPI.org.", "pypi.org", 80, True),
        ("pypi.org", "files.pypi.org", 443, False),
        ("pypi.org", "notpypi.org", 443, False),
        ("*.pypi.org", "files.pypi.org", 443, True),
        ("*.pypi.org", "a.b.pypi.org", 443, True),
        ("*.pypi.org", "pypi.org", 443, False),
        ("*.pypi.org", "evilpypi.org", 443, False),
        ("pypi.org:443", "pypi.org", 443, True),
        ("pypi.org:443", "pypi.org", 80, False),
        ("pypi.org:443", "pypi.org", None, True),
        ("*.org:80", "a.org", 80, True),
        ("*", "anything.example", 1, True),
        ("*:443", "anything.example", 80, False),
        ("10.0.0.1", "pypi.org", 443, False),
    ],
)
def test_names(rule: str, name: str, port: int | None, allowed: bool) -> None:
    assert parse_rule(rule).allows_name(name, port) is allowed


@pytest.mark.parametrize(
    ("rule", "address", "port", "named"),
    [
        ("127.0.0.1:8080", "127.0.0.1", 8080, True),
        ("127.0.0.1:8080", "127.0.0.1", 8081, False),
        ("127.0.0.1", "::ffff:127.0.0.1", 22, True),
        ("10.0.0.0/8", "10.9.8.7", 22, True),
        ("10.0.0.0/8:443", "10.9.8.7", 22, False),
        ("[::1]:8080", "::1", 8080, True),
        ("::1", "::1", 8080, True),
        ("fd00::/8", "fd00::7", 1, True),
        ("::ffff:10.0.0.1", "10.0.0.1", 1, True),
        ("*", "10.0.0.1", 80, False),
        ("localhost", "127.0.0.1", 80, False),
    ],
)
def test_addresses(rule: str, address: str, port: int, named: bool) -> None:
    assert parse_rule(rule).names_address(ip_address(address), port) is named


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://pypi.org",
        "pypi.org/simple",
        "a:b",
        "a:0",
        "a:65536",
        "[::1",
        "[::1]8080",
        "*.",
        "a.*.b",
        "10.0.0.1/8",
    ],
)
def test_what_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_rule(text)
