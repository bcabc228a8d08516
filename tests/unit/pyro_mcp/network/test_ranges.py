from ipaddress import ip_address

import pytest

from pyro_mcp.network.ranges import meant, refused_range

_REFUSED = """
0.0.0.0 0.255.255.255 10.0.0.0 10.255.255.255 100.64.0.0 100.127.255.255 127.0.0.1 127.255.255.255 169.254.0.0
169.254.169.254 172.16.0.0 172.31.255.255 192.168.0.0 192.168.255.255 224.0.0.1 240.0.0.1 255.255.255.255
:: ::1 fc00:: fdff:ffff::1 fe80::1 febf::1 ::ffff:127.0.0.1 ::ffff:10.1.2.3 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe
64:ff9b:1::c0a8:1 64:ff9b:1:ffff:ffff:ffff:a00:1
"""
# Neighbours of the above, and ranges that networks do serve public names from.
_PUBLIC = """
1.0.0.0 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 169.253.255.255 169.255.0.0
172.15.255.255 172.32.0.0 192.167.255.255 192.169.0.0 223.255.255.255 192.0.2.7 198.51.100.7 203.0.113.7 198.18.0.9
::2 fbff::1 fe00::1 fec0::1 2606:4700::1111 2001:db8::1 ::ffff:8.8.8.8 64:ff9b::808:808
"""


@pytest.mark.parametrize("address", _REFUSED.split())
def test_refused(address: str) -> None:
    assert refused_range(ip_address(address)) is not None


@pytest.mark.parametrize("address", _PUBLIC.split())
def test_not_refused(address: str) -> None:
    assert refused_range(ip_address(address)) is None


def test_what_stands_for_an_ipv4_address_is_that_address() -> None:
    assert str(meant(ip_address("::ffff:1.2.3.4"))) == "1.2.3.4"
    assert str(meant(ip_address("64:ff9b::102:304"))) == "1.2.3.4"
    assert str(meant(ip_address("2001:db8::1"))) == "2001:db8::1"
