"""Verb `attach`: give a restored machine its disk, its time and its identity.

Until then it is an exact copy of its template: same clock, same random state, same names.
"""

from __future__ import annotations

import base64
import binascii
import os
import random
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pyro_agent.base import system
from pyro_agent.disk import mounts
from pyro_agent.lifecycle.trust import trust
from pyro_agent.network import road
from pyro_agent.requests.machine import Machine
from pyro_agent.requests.request import Request
from pyro_agent.transactions import journal
from pyro_wire import messages
from pyro_wire.faults import FaultError
from pyro_wire.messages import Message, MessageError

# 256 bits twice over: the generator's whole state must be unlike its twin's.
_LEAST_ENTROPY = 64
_MOST_ENTROPY = 4096
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_MACHINE_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Identity:
    """What makes one clone different from its twins."""

    clock_ns: int
    entropy: bytes
    machine_id: str
    hostname: str


_NOBODY = Identity(clock_ns=0, entropy=b"", machine_id="0" * 32, hostname="pyro")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A checked `attach` request."""

    identity: Identity
    seed: bool
    disk: bool
    env_defaults: dict[str, str]
    certificates: str = ""

    @classmethod
    def from_message(cls, message: Message) -> Attachment:
        """Check every field; raise MessageError for the first that is wrong."""
        return cls(
            Identity(
                clock_ns=messages.integer(message, "clock_ns", low=0, high=2**62),
                entropy=_entropy(messages.text(message, "entropy")),
                machine_id=_matching(_MACHINE_ID, message, "machine_id"),
                hostname=_matching(_NAME, message, "hostname"),
            ),
            seed=messages.flag(message, "seed", default=False),
            disk=messages.flag(message, "disk", default=True),
            env_defaults=messages.text_map(message, "env_defaults"),
            certificates=messages.text(message, "certificates", ""),
        )


def _mount_empty(machine: Machine, spent: dict[str, float]) -> int:
    """Mount a disk that holds nothing yet, without a seed, which only a restored machine has."""
    if machine.root is not None:
        raise FaultError("conflict", "this machine has its disk already")
    root = mount_disk(spent, disk=True, seed=False)
    make_mount_points(root)
    return root


class Prepare(Request):
    """Mount a new, empty disk before the freeze, so that the machines made from it need not."""

    def start(self, message: Message) -> None:
        """Mount everything but a seed; identity comes with `attach`."""
        spent: dict[str, float] = {}
        root = _mount_empty(self.machine, spent)
        write_names(root, _NOBODY)  # so that `attach` finds their folder and files in the disk's own layer
        self.machine.attached(root, disk=True, env_defaults={})
        self.machine.prepared = True
        self.answer(_rounded(spent))


class Rehearse(Request):
    """Mount a disk and take it down again before the freeze: what the kernel sets up once per machine is in the template then."""

    def start(self, message: Message) -> None:
        """Leave the machine without a disk, as it was."""
        spent: dict[str, float] = {}
        root = _mount_empty(self.machine, spent)
        journal.recover()
        write_names(root, _NOBODY)
        os.close(root)
        mounts.take_down()
        self.answer(_rounded(spent))


class Attach(Request):
    """Take identity and disk, then answer with the milliseconds each part took."""

    def start(self, message: Message) -> None:
        """Do it all at once: before it, there is nothing else this machine could do."""
        if self.machine.root is not None and not self.machine.prepared:
            raise FaultError("conflict", "this machine has its disk already")
        wanted = Attachment.from_message(message)
        spent: dict[str, float] = {}
        with _timed(spent, "identity"):
            take_identity(wanted.identity)
        root = self._root(wanted, spent)
        with _timed(spent, "files"):
            journal.recover()
            write_names(root, wanted.identity)
            if wanted.certificates:
                trust(root, wanted.certificates)
        self.machine.prepared = False
        self.machine.attached(root, disk=wanted.disk, env_defaults=wanted.env_defaults)
        self.answer(_rounded(spent))

    def _root(self, wanted: Attachment, spent: dict[str, float]) -> int:
        root = self.machine.root
        if root is None:
            root = mount_disk(spent, disk=wanted.disk, seed=wanted.seed)
            make_mount_points(root)
        elif wanted.seed:
            with _timed(spent, "seed"):
                mounts.cover_workspace(root)
        return root


def mount_disk(spent: dict[str, float], *, disk: bool, seed: bool) -> int:
    """Mount disk, seed and the workspace's root; return a descriptor of that root."""
    for mount in mounts.plan_disk(disk=disk, seed=seed):
        with _timed(spent, mount.part):
            mounts.carry_out(mount)
    with _timed(spent, "disk"):
        mounts.make_folders()
    root: int | None = None
    for mount in mounts.plan_root(seed=seed):
        with _timed(spent, mount.part):
            mounts.carry_out(mount, root)
        if root is None:
            root = os.open(mounts.ROOT, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    assert root is not None
    return root


def make_mount_points(root: int) -> None:
    """Make sure of /proc, which each command mounts for itself, and of /tmp."""
    os.close(mounts.open_folder(root, "proc"))
    os.close(mounts.open_folder(root, "tmp", mode=0o1777))


def take_identity(identity: Identity) -> None:
    """Set clock and hostname, and make every random source unlike the twins'."""
    time.clock_settime_ns(time.CLOCK_REALTIME, identity.clock_ns)
    system.add_entropy(identity.entropy)
    random.seed()  # lived through the freeze, hence equal in all clones
    socket.sethostname(identity.hostname)


def write_names(root: int, identity: Identity) -> None:
    """Write the files that programs read the machine's identity from."""
    name = identity.hostname
    mounts.write_text(root, "etc/machine-id", identity.machine_id + "\n")
    mounts.write_text(root, "etc/hostname", name + "\n")
    mounts.write_text(root, "etc/resolv.conf", f"nameserver {road.NAMESERVER}\n")
    mounts.write_text(root, "etc/hosts", hosts_file(mounts.read_text(root, "etc/hosts"), name))


def hosts_file(present: str | None, hostname: str) -> str:
    """Return what /etc/hosts should hold: what is there (a person may have edited it), and this machine's name.

    127.0.1.1 is Debian's address for the machine itself; a line with it is ours, and a fork's names its parent.
    """
    own = f"127.0.1.1 {hostname}"
    if not present:
        return f"127.0.0.1 localhost\n::1 localhost ip6-localhost\n{own}\n"
    lines = [own if line.split()[:1] == ["127.0.1.1"] else line for line in present.splitlines()]
    return "\n".join(lines if own in lines else [*lines, own]) + "\n"


def _rounded(spent: dict[str, float]) -> Message:
    return {"ms": {part: round(ms, 1) for part, ms in spent.items()}}


@contextmanager
def _timed(spent: dict[str, float], part: str) -> Iterator[None]:
    started = time.perf_counter()
    try:
        yield
    finally:
        spent[part] = spent.get(part, 0.0) + (time.perf_counter() - started) * 1000


def _entropy(encoded: str) -> bytes:
    try:
        fresh = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MessageError(f"entropy: not base64: {error}") from None
    if not _LEAST_ENTROPY <= len(fresh) <= _MOST_ENTROPY:
        raise MessageError(f"entropy: {_LEAST_ENTROPY} to {_MOST_ENTROPY} bytes belong here")
    return fresh


def _matching(pattern: re.Pattern[str], message: Message, name: str) -> str:
    value = messages.text(message, name)
    if not pattern.fullmatch(value):
        raise MessageError(f"{name}: does not look like one")
    return value
