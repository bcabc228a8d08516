"""Hold one machine, from the plan on standard input to its end."""

from __future__ import annotations

import json
import os
import socket
import sys
import traceback
from contextlib import suppress
from pathlib import Path

from pyro_mcp.errors import PyroError
from pyro_mcp.guest.faults import fault_from
from pyro_mcp.keeper.machine.places import remove
from pyro_mcp.keeper.machine.restore import restored
from pyro_mcp.keeper.plan import KeeperPlan
from pyro_mcp.keeper.serve import Keeper
from pyro_mcp.redaction import Redactor
from pyro_wire.faults import Fault
from pyro_wire.messages import Message

# Connections that wait to be accepted; a burst of clients must not be refused.
_BACKLOG = 128
# A machine's directory, and an uid or two.
_MOST_LOCKS = 16


def main() -> None:
    """Read the plan from standard input, report on standard output, and serve."""
    plan = KeeperPlan.from_json(_first_line(sys.stdin.fileno()))
    _speak_into(plan.directory / "keeper.log")
    try:
        _hold(plan)
    except PyroError as error:
        error.rewrite(Redactor(plan.secrets).text)
        sys.stderr.write(f"{error}\n")  # whoever started us may be gone; the log stays
        _report({"fault": fault_from(error).to_message()})
        sys.exit(1)
    except Exception as error:  # noqa: BLE001  (the process ends with it)
        # The log goes with the machine's directory: whoever waits is told here, whoever comes later by the note.
        redact = Redactor(plan.secrets).text
        words = redact("".join(traceback.format_exception(error)))
        if plan.leash.ended is not None:
            with suppress(OSError):
                Path(plan.leash.ended).write_text(redact(f"its keeper failed: {error!r}"))
        _report({"fault": Fault("guest_failed", "the machine's keeper failed", words[-2000:]).to_message()})
        sys.stderr.write(words)
        sys.exit(1)
    finally:
        with suppress(OSError):
            plan.socket.unlink()
        remove(plan.directory)


def _hold(plan: KeeperPlan) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(os.fspath(plan.socket))
        listener.listen(_BACKLOG)
        with restored(plan) as machine:
            keeper = Keeper(plan, machine, listener)
            _report({"ready": machine.timings})
            keeper.run()


def _first_line(descriptor: int) -> str:
    """The plan is one line, the machine's locks come with it; what keeps the line open after it is the leash.

    The locks are held for as long as this process lives: nobody needs their numbers.
    """
    received = b""
    with socket.socket(fileno=os.dup(descriptor)) as line:
        while not received.endswith(b"\n"):
            chunk, _, _, _ = socket.recv_fds(line, 65536, _MOST_LOCKS)
            if not chunk:
                sys.exit("pyro keeper: whoever started me ended before it told me what to hold")
            received += chunk
    return received.decode()


def _speak_into(log: Path) -> None:
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(descriptor, sys.stderr.fileno())
    os.close(descriptor)


def _report(message: Message) -> None:
    """Tell who started us, once; it may be gone."""
    with suppress(OSError):
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)
