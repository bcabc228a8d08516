"""The first bytes of TLS as real clients send them, cut anywhere, and as no client does."""

import random
import ssl

import pytest

from pyro_mcp.network.client_hello import Finding, server_name


def _hello(name: str | None) -> bytes:
    """What Python's own TLS says first."""
    context = ssl.create_default_context()
    context.check_hostname = False
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def test_a_real_greeting() -> None:
    assert server_name(_hello("files.pythonhosted.org")) == "files.pythonhosted.org"
    assert server_name(_hello(None)) is Finding.NO_NAME


def test_every_beginning_asks_for_more() -> None:
    hello = _hello("pypi.org")
    assert {server_name(hello[:size]) for size in range(len(hello))} == {Finding.MORE}
    assert server_name(hello + b"more") == "pypi.org"


def test_a_greeting_in_many_records_is_put_together() -> None:
    message = _hello("pypi.org")[5:]
    for size in (1, 7, 100):
        parts = [message[at : at + size] for at in range(0, len(message), size)]
        records = b"".join(b"\x16\x03\x01" + len(part).to_bytes(2, "big") + part for part in parts)
        assert server_name(records) == "pypi.org"
        assert server_name(records[:-1]) is Finding.MORE


@pytest.mark.parametrize(
    "data", [b"GET / HTTP/1.1\r\n", b"SSH-2.0-x", b"\x80\x2e\x01", b"\x17\x03\x03\0\1x", b"\0"]
)
def test_other_protocols_are_none(data: bytes) -> None:
    assert server_name(data) is Finding.NOT_TLS


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x09\x01\0\1\1",
        b"\x16\x03\x01\0\0",
        b"\x16\x03\x01\xff\xff",
        b"\x16\x03\x01\0\4\x02\0\0\0",
        b"\x16\x03\x01\0\4\x01\xff\xff\xff",
        b"\x16\x03\x01\0\2\x01\0GET / HTTP",
        b"\x16\x03\x01\0\x05\x01\0\0\1x",
    ],
)
def test_what_begins_like_tls_and_is_not_is_told(data: bytes) -> None:
    assert server_name(data) is Finding.BROKEN


def test_two_names_are_not_one() -> None:
    def extension(name: bytes) -> bytes:
        entry = b"\0" + len(name).to_bytes(2, "big") + name
        listed = len(entry).to_bytes(2, "big") + entry
        return b"\0\0" + len(listed).to_bytes(2, "big") + listed

    def hello(extensions: bytes) -> bytes:
        body = (
            b"\x03\x03"
            + bytes(32)
            + b"\0"
            + b"\0\2\x13\1"
            + b"\1\0"
            + len(extensions).to_bytes(2, "big")
            + extensions
        )
        message = b"\1" + len(body).to_bytes(3, "big") + body
        return b"\x16\x03\x01" + len(message).to_bytes(2, "big") + message

    assert server_name(hello(extension(b"pypi.org"))) == "pypi.org"
    assert server_name(hello(extension(b"pypi.org") + extension(b"evil.example"))) is Finding.BROKEN


def test_nothing_makes_it_fall_over() -> None:
    chance = random.Random(7)
    hello = _hello("pypi.org")
    for _ in range(3000):
        data = bytearray(hello[: chance.randrange(1, len(hello) + 1)])
        for _ in range(chance.randrange(4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        assert isinstance(server_name(bytes(data)), str | Finding)
