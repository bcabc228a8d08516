"""Bring a frozen machine to life: restore it, tell it who it is, attach its disk."""

from __future__ import annotations

import base64
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from pyro_mcp.guest.asking import ask
from pyro_mcp.guest.greeting import greet
from pyro_mcp.host.waiting import wait_until
from pyro_mcp.keeper.machine.logs import story_kept
from pyro_mcp.keeper.plan import KeeperPlan
from pyro_mcp.qemu.memory import noted, shared_memory
from pyro_mcp.qemu.process import Qemu, launch, telling_death
from pyro_mcp.qemu.templates import Template, leave_memory_out
from pyro_wire.mux import Mux

# A restore takes 50 to 150 ms; a host that swaps needs longer, and no host needs this long.
_RESTORE_SECONDS = 30.0
_ENTROPY_BYTES = 64
# Programs with certificates of their own look at one of these: OpenSSL's and Go's, requests, pip, curl, git, node, cargo, AWS.
_CA_VARIABLES = (
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "PIP_CERT",
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "NODE_EXTRA_CA_CERTS",
    "CARGO_HTTP_CAINFO",
    "AWS_CA_BUNDLE",
)
_CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"


@dataclass(frozen=True, slots=True)
class Restored:
    """A machine that runs and knows who it is."""

    qemu: Qemu
    mux: Mux
    timings: dict[str, float]


@contextmanager
def restored(plan: KeeperPlan) -> Iterator[Restored]:
    """Hold a restored machine during the block; QEMU is gone at its end."""
    template = plan.template
    watch = _Stopwatch()
    with (
        shared_memory(template.freeze, template.memory, template.notes) as memory,
        launch(replace(plan.launch, incoming=True), memory.descriptor, memory_shared=False) as qemu,
        story_kept(plan.directory, qemu, watch.laps, plan.secrets),
    ):
        watch.lap("launch_ms")
        memory.finish()
        watch.lap("memory_ms")
        with telling_death(qemu, "the frozen machine did not load"):
            _load(qemu, template)
        watch.lap("load_ms")
        mux = greet(qemu.agent, _watcher(qemu))
        watch.lap("greet_ms")
        watch.laps["restore_ms"] = round(sum(watch.laps.values()), 1)
        _attach(qemu, mux, plan)
        _bring_secrets(qemu, mux, plan)
        watch.lap("attach_ms")
        with noted(template.notes, memory):
            yield Restored(qemu, mux, watch.laps)


class _Stopwatch:
    """Where the milliseconds of a start went."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.monotonic()

    def lap(self, name: str) -> None:
        now = time.monotonic()
        self.laps[name] = round((now - self._last) * 1000, 1)
        self._last = now


def _load(qemu: Qemu, template: Template) -> None:
    deadline = time.monotonic() + _RESTORE_SECONDS
    leave_memory_out(qemu, deadline)
    state = os.open(template.state, os.O_RDONLY | os.O_CLOEXEC)
    try:
        qemu.monitor.execute("getfd", deadline=deadline, descriptor=state, fdname="state")
    finally:
        os.close(state)
    qemu.monitor.execute("migrate-incoming", deadline=deadline, uri="fd:state")
    wait_until(
        lambda: qemu.monitor.migrated(deadline),
        what="QEMU to load the frozen machine",
        timeout=_RESTORE_SECONDS,
        still_possible=qemu.check_alive,
    )
    qemu.monitor.execute("cont", deadline=deadline)


def _attach(qemu: Qemu, mux: Mux, plan: KeeperPlan) -> None:
    identity = {
        "verb": "attach",
        "clock_ns": time.time_ns(),
        "entropy": base64.b64encode(os.urandom(_ENTROPY_BYTES)).decode(),
        "machine_id": plan.identity.machine_id,
        "hostname": plan.identity.hostname,
        "seed": plan.seeded,
        "disk": True,
        **_trusted(plan.network.certificates),
    }
    ask(qemu.agent, mux, identity, _watcher(qemu))


def _trusted(certificates: str) -> dict[str, object]:
    """What makes programs in the guest trust these: its store, and the variables that each kind of program reads."""
    if not certificates:
        return {}
    return {"certificates": certificates, "env_defaults": dict.fromkeys(_CA_VARIABLES, _CA_BUNDLE)}


def _bring_secrets(qemu: Qemu, mux: Mux, plan: KeeperPlan) -> None:
    """Put them into the guest's memory, anew at each start: no disk has them."""
    for name, value in plan.secrets.items():
        message = {"verb": "secret.put", "name": name, "value": base64.b64encode(value).decode()}
        ask(qemu.agent, mux, message, _watcher(qemu))


def _watcher(qemu: Qemu) -> Callable[[], None]:
    return qemu.watch(_RESTORE_SECONDS, "the restored machine did not answer in time")
