"""Processes of this host: start one that cannot outlive us, and recognise one that was recorded earlier."""

import os
import select
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pyro_mcp.errors import LimitReached

_PR_SET_PDEATHSIG = 1
# A killed process with a gigabyte of memory is gone within 100 ms; a swapping host needs longer.
_DEATH_SECONDS = 10.0
Stream = int | IO[bytes] | None


@dataclass(frozen=True)
class ProcessIdentity:
    """A process for good: numbers are reused, a number with its start time (clock ticks since boot) is not."""

    pid: int
    started: int


def identify(pid: int) -> ProcessIdentity | None:
    """Tell who has this number now; None when nobody, or a dead process that waits to be reaped."""
    state, found = _look_up(pid)
    return None if state in "ZX" else found


def _look_up(pid: int) -> tuple[str, ProcessIdentity | None]:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return "X", None
    # The name stands in parentheses and may itself contain ") "; only the last one ends it.
    fields = text.rpartition(")")[2].split()
    return fields[0], ProcessIdentity(pid, int(fields[19]))


def is_alive(process: ProcessIdentity) -> bool:
    """Whether that very process still runs."""
    return identify(process.pid) == process


def below(pid: int) -> list[ProcessIdentity]:
    """Give what a process has started and what that has; nothing where it is gone, or the kernel does not tell."""
    try:
        numbers = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    children = [found for number in numbers if (found := identify(int(number))) is not None]
    return children + [found for child in children for found in below(child.pid)]


def send_signal(process: ProcessIdentity, number: int = signal.SIGKILL) -> bool:
    """Signal that very process; False when it is gone, and then nobody else is hit either.

    The descriptor pins the process before its start time is compared, so that the number cannot change hands in between.
    """
    try:
        descriptor = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return False
    try:
        if not is_alive(process):
            return False
        signal.pidfd_send_signal(descriptor, number)
    except ProcessLookupError:
        return False
    finally:
        os.close(descriptor)
    return True


def has_ended(process: ProcessIdentity, within: float) -> bool:
    """Wait for the end of that very process, woken by it and not by a clock; False when it does not come in so many seconds.

    The end of all its threads: until then one that looks dead (`identify` says so) still has its files open.
    """
    try:
        descriptor = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return True
    try:
        if _look_up(process.pid)[1] != process:
            return True
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(within * 1000))
    finally:
        os.close(descriptor)


def end_holders(directory: Path, *, but: str = "") -> None:
    """Kill every process that has a file below `directory` open, as far as we may look, and wait until they are gone.

    For a directory whose owner is dead: a process that was being tied to the owner at that very moment may have survived it.
    `but` names a file there that proves nothing, because others may open it too: a lock.
    """
    holders = [found for found in map(identify, _numbers()) if found and _holds(found.pid, directory, but)]
    for holder in holders:
        send_signal(holder)
    for holder in holders:
        if not has_ended(holder, _DEATH_SECONDS):
            raise LimitReached(f"process {holder.pid} was killed {_DEATH_SECONDS:g} s ago and does not end")


def _numbers() -> Iterator[int]:
    own = os.getpid()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != own:
            yield int(entry.name)


def _holds(pid: int, directory: Path, but: str) -> bool:
    below, excepted = f"{directory}/", f"{directory}/{but}"
    try:
        links = [str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()]
    except OSError:  # it ended, or is somebody else's
        return False
    return any(link.startswith(below) and link != excepted for link in links)


def spawn(
    argv: Sequence[str | os.PathLike[str]],
    *,
    stdin: Stream = subprocess.DEVNULL,
    stdout: Stream = None,
    stderr: Stream = None,
    pass_fds: Sequence[int] = (),
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> "subprocess.Popen[bytes]":
    """Start a child that the kernel kills when the thread that started it ends, so also when this process is killed.

    The thread, not the process: that is how Linux means PR_SET_PDEATHSIG. Whoever starts a long-lived child does it from
    a thread that lives as long.
    """
    return subprocess.Popen(
        argv,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        pass_fds=pass_fds,
        env=env,
        cwd=cwd,
        preexec_fn=_tie_to(os.getpid()),  # two system calls, prepared before the fork
    )


def _tie_to(parent: int) -> Callable[[], None]:
    import ctypes  # 4 ms, which nobody pays who starts nothing

    # PyDLL keeps the interpreter's lock during the call: nothing in the new child may wait for a lock that another thread held.
    prctl = ctypes.PyDLL(None).prctl
    arguments = tuple(ctypes.c_ulong(value) for value in (signal.SIGKILL, 0, 0, 0))

    def tie() -> None:
        prctl(_PR_SET_PDEATHSIG, *arguments)
        if os.getppid() != parent:  # the parent died before the tie held
            os._exit(127)

    return tie


@contextmanager
def child(argv: Sequence[str | os.PathLike[str]], **options: object) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a child during the block, as spawn() does; what is left of it at the end of the block is killed."""
    process = spawn(argv, **options)  # type: ignore[arg-type]  # spawn's own
    try:
        yield process
    finally:
        stop(process)


def stop(process: "subprocess.Popen[bytes]", grace: float = 0.0) -> int:
    """End a child of ours and reap it: SIGTERM and `grace` seconds if any, then SIGKILL. Returns its exit status."""
    if grace and process.poll() is None:
        process.terminate()
        try:
            return process.wait(grace)
        except subprocess.TimeoutExpired:
            pass
    if process.poll() is None:
        process.kill()
    return process.wait()
