"""Processes forked ahead, each one command away from being that command.

A runner is a pair: a tiny init, PID 1 of a PID namespace and mount namespace of its own, and its child, which
waits for a command and then becomes it. Both are in a cgroup made for them, with pipes laid out. All that costs
50 ms under emulation, and is done before the machine is frozen or while nothing runs.
"""

from __future__ import annotations

import fcntl
import gc
import os
import select
import signal
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass

from pyro_agent.base import system
from pyro_agent.runners import become
from pyro_agent.runners.cgroups import Cgroup, Cgroups
from pyro_agent.runners.command import Command
from pyro_wire import messages
from pyro_wire.messages import Message

# Twice the widest message, so that handing a command over never blocks the agent.
_REQUEST_PIPE = 128 * 1024
# Helpers that end because their command did (Python's resource tracker) need a moment for it: they are nothing that anybody left.
_GRACE_S = 0.05
# Four times the default: fewer switches between a chatty command and the agent.
_OUTPUT_PIPE = 256 * 1024


@dataclass(slots=True)
class Runner:
    """The agent's side of one waiting command."""

    init: int  # the pid of its PID 1, seen from here
    pidfd: int
    cgroup: Cgroup
    stdin: int
    stdout: int
    stderr: int
    status: int
    request: int

    def run(self, command: Command, env_defaults: dict[str, str]) -> None:
        """Hand the command over. Raise OSError where the runner has died meanwhile."""
        payload = messages.pack({**command.to_message(), "env_defaults": env_defaults})
        os.write(self.request, payload)
        os.close(self.request)

    def signal_group(self, number: int) -> None:
        """Signal the command's own process group: its foreground, as a terminal would."""
        with open(f"/proc/{self.init}/task/{self.init}/children") as file:
            children = file.read().split()
        if children:
            os.killpg(int(children[0]), number)

    def signal_all(self, number: int) -> None:
        """Signal everything the command started, what has left its process group too; not its PID 1."""
        for pid in self.cgroup.members():
            if pid != self.init:
                with suppress(ProcessLookupError):
                    os.kill(pid, number)

    def discard(self) -> None:
        """End a runner that was never used."""
        for descriptor in (self.request, self.stdin, self.stdout, self.stderr, self.status):
            os.close(descriptor)
        self.cgroup.kill()
        os.waitpid(self.init, 0)
        os.close(self.pidfd)
        self.cgroup.remove()


def fork_runner(cgroups: Cgroups, own_namespace: int, *, attached: bool) -> Runner:
    """Make one; `own_namespace` is a descriptor of the agent's own PID namespace.

    `attached`: the workspace's root is there, so that the runner enters it now and not when it gets its command.
    """
    with ExitStack() as half_made:
        cgroup = cgroups.create()
        half_made.callback(cgroup.remove)
        request, requests = _pipe(half_made, _REQUEST_PIPE)
        stdin, stdins = _pipe(half_made)
        stdouts, stdout = _pipe(half_made, _OUTPUT_PIPE)
        stderrs, stderr = _pipe(half_made)
        statuses, status = _pipe(half_made)
        system.unshare(system.CLONE_NEWPID)  # of the next child, not of the agent
        try:
            pid = os.fork()
            if not pid:
                _be_init(cgroup, (stdin, stdout, stderr, request, status), attached)
        finally:
            system.enter_namespace(own_namespace, system.CLONE_NEWPID)
        pidfd = os.pidfd_open(pid)
        half_made.pop_all()
    for descriptor in (stdin, stdout, stderr, request, status):
        os.close(descriptor)
    return Runner(pid, pidfd, cgroup, stdins, stdouts, stderrs, statuses, requests)


def _pipe(half_made: ExitStack, size: int = 0) -> tuple[int, int]:
    reading, writing = os.pipe2(os.O_CLOEXEC)
    half_made.callback(os.close, reading)
    half_made.callback(os.close, writing)
    if size:
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, size)
    return reading, writing


_REQUEST, _STATUS = 3, 4


def _be_init(cgroup: Cgroup, descriptors: tuple[int, ...], attached: bool) -> None:
    """Become PID 1 of the command's namespace. Never returns."""
    try:
        gc.disable()  # a collection would copy the pages that all runners share
        _lay_out(descriptors)
        cgroup.join()
        system.unshare(system.CLONE_NEWNS)
        # What the agent mounts later (the disk) must appear here; what the command mounts must not appear there.
        system.mount("none", "/", None, system.MS_REC | system.MS_SLAVE)
        for number in (signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        os.setpriority(os.PRIO_PROCESS, 0, 0)
        command = os.fork()
        if not command:
            _be_command(attached)
        _reap_until(command)
    except BaseException as error:  # noqa: BLE001  (nobody above may go on in this process)
        _report({"broken": repr(error)})
    os._exit(0)


def _lay_out(descriptors: tuple[int, ...]) -> None:
    """Put the pipes at 0 to 4 and close everything else of the agent's."""
    high = [fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 100) for descriptor in descriptors]
    for target, descriptor in enumerate(high):
        os.dup2(descriptor, target, inheritable=target <= 2)
    os.closerange(len(high), 65536)


def _be_command(attached: bool) -> None:
    """Wait for a command and become it. Never returns."""
    os.setsid()
    with open("/proc/self/oom_score_adj", "w") as file:
        file.write("0")  # unlike the agent, a command is what the kernel may kill
    if attached:
        become.enter_root()
    if not select.select([_REQUEST], [], [], 0)[0]:
        become.rehearse()  # there is time: the request is not there yet
    request = _read_request()
    if request:
        become.become(request, _report, entered=attached)
    os._exit(become.NOT_STARTED)


def _read_request() -> bytes:
    parts: list[bytes] = []
    while part := os.read(_REQUEST, _REQUEST_PIPE):
        parts.append(part)
    return b"".join(parts)


def _reap_until(command: int) -> None:
    """Collect the dead, orphans included, until the command itself ends; its namespace then dies with us."""
    nowhere = os.open("/dev/null", os.O_RDWR)
    for descriptor in (0, 1, 2, _REQUEST):
        os.dup2(nowhere, descriptor)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})  # a death is waited for below
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == command:
            _report({"status": status, "alone": left_alone(_GRACE_S)})
            return


def left_alone(grace: float) -> bool:
    """Tell whether nothing of the command is left when the grace is over; orphans are children of their namespace's PID 1."""
    until = time.monotonic() + grace
    while _has_children():
        left = until - time.monotonic()
        if left <= 0 or signal.sigtimedwait({signal.SIGCHLD}, left) is None:
            return False
    return True


def _has_children() -> bool:
    """Collect the dead, and tell whether anybody lives."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            continue
    except ChildProcessError:
        return False
    return True


def _report(message: Message) -> None:
    os.write(_STATUS, messages.pack(message) + b"\n")
