"""Start a keeper and learn how that went."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pyro_mcp.errors import GuestFailed
from pyro_mcp.guest.faults import error_from
from pyro_mcp.keeper.logs import KEEP_LOGS
from pyro_mcp.keeper.plan import KeeperPlan
from pyro_wire.faults import Fault

# Killing QEMU and removing a few files: a host that swaps takes seconds for it.
_END_SECONDS = 20.0
# The word that lets a keeper outlive its starter.
GO_ON = b"+"


@dataclass(slots=True)
class StartedKeeper:
    """A keeper that was started by this process; closing `leash` lets a throwaway machine end."""

    process: subprocess.Popen[bytes]
    log: Path

    def wait_ready(self) -> None:
        """Return once the machine answers requests; raises the typed error when it does not come up."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        self.process.stdout.close()
        if not line:
            code = self.process.wait()
            words = self.log.read_text(errors="replace")[-2000:] if self.log.exists() else ""
            raise GuestFailed(f"the machine's keeper ended with status {code}", details=words)
        report = json.loads(line)
        if "fault" in report:
            raise error_from(Fault.from_message(report["fault"]))

    def detach(self) -> None:
        """Leave the keeper to itself: it goes on when this process ends. While we live, it is our child to bury.

        Only once it is recorded who holds the machine: until this word a keeper ends with whoever started it, so that a
        crash in between leaves none that nobody knows.
        """
        assert self.process.stdin is not None
        with suppress(OSError):  # one that has just died
            self.process.stdin.write(GO_ON)
            self.process.stdin.close()
        threading.Thread(target=self.process.wait, name="pyro-keeper-end", daemon=True).start()

    def let_go(self) -> None:
        """Release the leash and wait until a throwaway machine is gone."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(_END_SECONDS)


def start_keeper(plan: KeeperPlan, locks: list[int]) -> StartedKeeper:
    """Start the process that will hold this machine, and with it the locks (descriptors) on what is the machine's."""
    log = plan.directory / "keeper.log"
    program = Path(__file__).with_name("__main__.py")
    with log.open("ab") as errors:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(program), plan.machine_id],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            pass_fds=locks,
            start_new_session=True,
            cwd="/",
            env=_environment(),
        )
    assert process.stdin is not None
    process.stdin.write(plan.to_json().encode() + b"\n")
    process.stdin.flush()
    return StartedKeeper(process, log)


def _environment() -> dict[str, str]:
    """What a keeper needs to know of ours: nothing that could surprise a machine that outlives us."""
    kept = {name: os.environ[name] for name in (KEEP_LOGS,) if name in os.environ}
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8", **kept}
