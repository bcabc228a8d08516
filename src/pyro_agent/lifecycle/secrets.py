"""Verb `secret.put`: one secret as a file in memory, for programs that read such a file; nothing of it reaches the disk."""

from __future__ import annotations

import base64
import binascii
import os
import re

from pyro_agent.disk import mounts
from pyro_agent.requests.request import Request
from pyro_wire import messages
from pyro_wire.faults import FaultError
from pyro_wire.messages import Message, MessageError

# /run is a tmpfs of the machine's own, so that a stop forgets what is in it and no snapshot has it.
FOLDER = "run/pyro-secrets"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


class PutSecret(Request):
    """Write a secret where only root can read it."""

    def start(self, message: Message) -> None:
        """Do it at once: it is small, and goes to memory."""
        name = messages.text(message, "name")
        if not _NAME.fullmatch(name):
            raise MessageError("name: no name of a secret")
        value = _decoded(messages.text(message, "value"))
        if self.machine.root is None:
            raise FaultError("conflict", "this machine has no disk yet", hint="attach one first")
        folder = mounts.open_folder(self.machine.root, FOLDER, mode=0o700)
        try:
            _write(folder, name, value)
        finally:
            os.close(folder)
        self.answer({})


def _write(folder: int, name: str, value: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    file = os.open(name, flags, 0o400, dir_fd=folder)
    try:
        os.fchmod(file, 0o400)
        rest = memoryview(value)
        while rest:
            rest = rest[os.write(file, rest) :]
    finally:
        os.close(file)


def _decoded(value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise MessageError("value: not base64") from None  # without the cause, which may quote it
