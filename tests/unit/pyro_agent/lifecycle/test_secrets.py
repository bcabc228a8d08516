"""Secrets in the guest's memory."""

import base64
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from pyro_agent.lifecycle.secrets import PutSecret
from pyro_agent.requests.machine import Machine
from pyro_wire.faults import FaultError
from pyro_wire.messages import Message, MessageError
from pyro_wire.mux import Mux


@pytest.fixture
def root(tmp_path: Path) -> Iterator[int]:
    descriptor = os.open(tmp_path, os.O_PATH | os.O_DIRECTORY)
    yield descriptor
    os.close(descriptor)


def put(root: int | None, **message: object) -> None:
    """Let the agent serve one request."""
    answers: list[Message] = []
    mux = SimpleNamespace(answer=lambda _, answer: answers.append(answer))
    PutSecret(cast(Machine, SimpleNamespace(root=root)), cast(Mux, mux), 1).start(message)
    assert answers == [{}]


def test_only_root_can_read_it(root: int, tmp_path: Path) -> None:
    put(root, name="TOKEN", value=base64.b64encode(b"\xffvalue").decode())
    folder = tmp_path / "run/pyro-secrets"
    assert (folder / "TOKEN").read_bytes() == b"\xffvalue"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "TOKEN").stat().st_mode) == 0o400


@pytest.mark.parametrize("name", ["", "../x", "a/b", "1A", "A" * 65, "A\n"])
def test_a_name_leads_nowhere_else(root: int, name: str) -> None:
    with pytest.raises(MessageError):
        put(root, name=name, value="eHh4")


def test_a_value_that_is_no_base64_is_not_repeated(root: int) -> None:
    with pytest.raises(MessageError, match=r"^value: not base64$"):
        put(root, name="A", value="no base64 !")


def test_a_machine_without_its_disk_takes_none() -> None:
    with pytest.raises(FaultError, match="no disk yet"):
        put(None, name="A", value="eHh4")
