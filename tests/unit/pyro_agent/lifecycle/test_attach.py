"""An attach request is checked whole before anything is mounted; names are written so that people's edits survive."""

from __future__ import annotations

import base64

import pytest

from pyro_agent.lifecycle.attach import Attachment, hosts_file
from pyro_wire.messages import MessageError

GOOD: dict[str, object] = {
    "clock_ns": 1_795_000_000_000_000_000,
    "entropy": base64.b64encode(bytes(64)).decode(),
    "machine_id": "0123456789abcdef" * 2,
    "hostname": "issue-123",
}


def test_a_request_is_read_with_its_defaults() -> None:
    wanted = Attachment.from_message(GOOD)
    assert wanted.identity.entropy == bytes(64)
    assert (wanted.seed, wanted.disk, wanted.env_defaults) == (False, True, {})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("clock_ns", -1),
        ("clock_ns", "now"),
        ("entropy", base64.b64encode(bytes(63)).decode()),
        ("entropy", base64.b64encode(bytes(5000)).decode()),
        ("entropy", "!" * 100),
        ("entropy", None),
        ("machine_id", "0123"),
        ("machine_id", "G" * 32),
        ("machine_id", "a" * 32 + "\n"),
        ("hostname", ""),
        ("hostname", "-x"),
        ("hostname", "a.b"),
        ("hostname", "x" * 64),
        ("hostname", "a\nb"),
        ("seed", 1),
        ("disk", "no"),
        ("env_defaults", []),
    ],
)
def test_a_wrong_field_is_refused(field: str, value: object) -> None:
    with pytest.raises(MessageError):
        Attachment.from_message(GOOD | {field: value})


@pytest.mark.parametrize(
    ("present", "wanted"),
    [
        (None, "127.0.0.1 localhost\n::1 localhost ip6-localhost\n127.0.1.1 ws\n"),
        ("", "127.0.0.1 localhost\n::1 localhost ip6-localhost\n127.0.1.1 ws\n"),
        ("127.0.0.1 localhost\n", "127.0.0.1 localhost\n127.0.1.1 ws\n"),
        ("10.0.0.1 db # mine\n127.0.1.1 parent", "10.0.0.1 db # mine\n127.0.1.1 ws\n"),
        ("127.0.0.1 localhost\n127.0.1.1 ws\n", "127.0.0.1 localhost\n127.0.1.1 ws\n"),
    ],
)
def test_hosts_keeps_what_a_person_wrote_and_names_this_machine(present: str | None, wanted: str) -> None:
    assert hosts_file(present, "ws") == wanted
    assert hosts_file(wanted, "ws") == wanted
