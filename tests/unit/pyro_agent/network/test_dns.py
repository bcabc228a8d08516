import random
import socket
import struct
from contextlib import suppress

import pytest

from pyro_agent.network import dns


def query(name: str, kind: int = dns.A, number: int = 7) -> bytes:
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack("!HHHHHH", number, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", kind, 1)


def test_a_question_and_its_answer() -> None:
    question = dns.read(query("PyPI.org", number=0x1234))
    assert (question.number, question.name, question.kind) == (0x1234, "pypi.org", dns.A)
    reply = dns.answer(question, dns.NO_ERROR, "198.18.1.0")
    assert reply[:4] == b"\x12\x34\x85\x80"
    assert reply[4:12] == struct.pack("!HHHH", 1, 1, 0, 0)
    assert b"\x04PyPI\x03org\x00" in reply  # as it was asked
    assert reply.endswith(socket.inet_aton("198.18.1.0"))


def test_an_answer_without_an_address() -> None:
    question = dns.read(query("pypi.org", dns.AAAA))
    assert not question.wants_address
    reply = dns.answer(question, dns.NO_SUCH_NAME)
    assert reply[3] & 15 == dns.NO_SUCH_NAME
    assert reply[6:8] == b"\0\0"


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b"\0\1\1\0\0\2\0\0\0\0\0\0", dns.FORMAT_ERROR),
        (b"\0\1\x10\0\0\1\0\0\0\0\0\0", dns.NOT_IMPLEMENTED),
        (query("a.b")[:-3], dns.FORMAT_ERROR),
        (query("a.b")[:12] + b"\xc0\x0c\0\1\0\1", dns.FORMAT_ERROR),
        (query("a.b")[:12] + b"\x3fabc", dns.FORMAT_ERROR),
        (query(".".join(["x" * 60] * 5)), dns.FORMAT_ERROR),
    ],
)
def test_what_is_no_question_is_refused(message: bytes, code: int) -> None:
    with pytest.raises(dns.Unreadable) as caught:
        dns.read(message)
    assert caught.value.reply[:2] == message[:2]
    assert caught.value.reply[3] & 15 == code


@pytest.mark.parametrize("message", [b"", b"\0" * 11, b"\0\1\x81\0\0\1" + b"\0" * 12])
def test_what_is_not_even_that_gets_no_answer(message: bytes) -> None:
    with pytest.raises(dns.Unreadable) as caught:
        dns.read(message)
    assert caught.value.reply == b""


def test_nothing_makes_it_fall_over() -> None:
    chance = random.Random(1)
    for _ in range(3000):
        data = bytearray(query("some.name.example"))
        for _ in range(chance.randrange(5)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        with suppress(dns.Unreadable):
            dns.read(bytes(data[: chance.randrange(len(data) + 1)]))
