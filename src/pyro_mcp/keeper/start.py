"""Start a keeper and learn how that went."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pyro_mcp.errors import GuestFailed, HostUnfit, PyroError
from pyro_mcp.guest.faults import error_from
from pyro_mcp.host.processes import has_ended, identify
from pyro_mcp.keeper.machine.logs import KEEP_LOGS
from pyro_wire.faults import Fault

# A keeper is started before anything is known of its machine, and so is what describes one imported later.
if TYPE_CHECKING:
    from pyro_mcp.keeper.plan import KeeperPlan

# Killing QEMU and removing a few files: a host that swaps takes seconds for it.
_END_SECONDS = 20.0
# A keeper's words before it has a log: a traceback, where it cannot even be imported.
_WORDS = 64 * 1024


def _own_state() -> tuple[int, int]:
    """Give what changes when another pyro is installed in the place of the one that this process has imported."""
    try:
        there = Path(__file__).with_name("plan.py").stat()
    except OSError:
        return 0, 0
    return there.st_ino, there.st_mtime_ns


_IMPORTED = _own_state()
# The word that lets a keeper outlive its starter.
GO_ON = b"+"


class StartedKeeper:
    """A keeper that was started by this process. It learns what to hold in `hold`; until then it holds nothing.

    `let_go` ends a throwaway machine, `detach` lets one go on by itself.
    """

    def __init__(
        self, machine_id: str, process: subprocess.Popen[bytes], leash: socket.socket, words: int
    ) -> None:
        self.machine_id = machine_id
        self.process = process
        self._leash = leash
        self._words = words
        self._log: Path | None = None

    def hold(self, plan: KeeperPlan, locks: list[int]) -> None:
        """Tell it its machine, and hand it the locks (descriptors) on what is the machine's."""
        self._log = plan.directory / "keeper.log"
        told = plan.to_json().encode() + b"\n"
        with suppress(OSError):  # one that has just died: wait_ready tells
            sent = socket.send_fds(self._leash, [told], locks)
            self._leash.sendall(told[sent:])

    def wait_ready(self) -> None:
        """Return once the machine answers requests; raises the typed error when it does not come up."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        self.process.stdout.close()
        if not line:
            raise self._early_end(self.process.wait())
        report = json.loads(line)
        if "fault" in report:
            raise error_from(Fault.from_message(report["fault"]))

    def detach(self) -> None:
        """Leave the keeper to itself: it goes on when this process ends. While we live, it is our child to bury.

        Only once it is recorded who holds the machine: until this word a keeper ends with whoever started it, so that a
        crash in between leaves none that nobody knows.
        """
        with suppress(OSError):  # one that has just died
            self._leash.sendall(GO_ON)
        self._close()
        threading.Thread(target=self.process.wait, name="pyro-keeper-end", daemon=True).start()

    def let_go(self) -> None:
        """Release the leash and wait until a throwaway machine is gone."""
        self._close()
        there = identify(self.process.pid)
        if there is not None and not has_ended(there, _END_SECONDS):
            self.process.kill()  # QEMU dies with it, and who made the place clears it away
        self.process.wait()

    def give_up(self) -> None:
        """End one that was never told what to hold; another ends by itself, unless it was detached."""
        self._close()
        if self._log is None:
            assert self.process.stdout is not None
            self.process.stdout.close()
            self.process.kill()
            self.process.wait()

    def _close(self) -> None:
        self._leash.close()
        if self._words >= 0:
            os.close(self._words)
            self._words = -1

    def _early_end(self, code: int) -> PyroError:
        words = self._last_words()[-2000:]
        if _own_state() != _IMPORTED:
            return HostUnfit(
                "pyro was exchanged on this host while this program ran",
                details=words,
                hint="Start this program again; in a chat host, its pyro server.",
            )
        return GuestFailed(f"the machine's keeper ended with status {code}", details=words)

    def _last_words(self) -> str:
        early = os.pread(self._words, _WORDS, 0).decode(errors="replace")
        late = self._log.read_text(errors="replace") if self._log and self._log.exists() else ""
        return early + late


def start_keeper(machine_id: str) -> StartedKeeper:
    """Start the process that will hold a machine. It takes as long to come up as finding out what it is to hold."""
    near, far = socket.socketpair()
    words = os.memfd_create("pyro-keeper-words")
    program = Path(__file__).with_name("__main__.py")
    with far:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(program), machine_id],
            stdin=far.fileno(),
            stdout=subprocess.PIPE,
            stderr=words,
            start_new_session=True,
            cwd="/",
            env=_environment(),
        )
    return StartedKeeper(machine_id, process, near, words)


@contextmanager
def starting_keeper(machine_id: str) -> Iterator[StartedKeeper]:
    """Start a keeper ahead of what has to be done before there is a machine for it; ends it where that comes to nothing."""
    keeper = start_keeper(machine_id)
    try:
        yield keeper
    finally:
        keeper.give_up()


def _environment() -> dict[str, str]:
    """What a keeper needs to know of ours: nothing that could surprise a machine that outlives us."""
    kept = {name: os.environ[name] for name in (KEEP_LOGS,) if name in os.environ}
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8", **kept}
