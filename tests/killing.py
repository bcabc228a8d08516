"""Kill something of a workspace while it is worked in, and hold what is there afterwards against what its client was told."""

import hashlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.remains import Process, keeper_of, processes_of, qemu_of
from tests.worker import Tree, tree_of

from pyro_mcp import NotFound, Pyro, Workspace
from pyro_mcp.host.processes import is_alive
from pyro_mcp.host.waiting import wait_until
from pyro_mcp.workspaces.engine import Engine
from pyro_mcp.workspaces.registry import machines
from pyro_mcp.workspaces.registry.reconcile import Reconciled, reconcile

VICTIMS = ("client", "keeper", "qemu")
_ROOT = Path(__file__).parents[1]
_FIND: dict[str, Callable[[Path], Process | None]] = {"keeper": keeper_of, "qemu": qemu_of}
# Within these seconds after its start a worker has done some of each of its operations.
_LATEST = 1.5
# A machine that vanished is met as one of these.
_TYPED = {"outcome_unknown", "guest_failed", "conflict", "host_unfit", "not_found"}
# A command is asked for at once; other operations look first, and a look that broke off changed nothing: guest_failed.
_MAYBE = {"outcome_unknown", "conflict"}


@dataclass
class Told:
    """What a worker said, in order."""

    lines: list[list[object]] = field(default_factory=list)

    def all(self, word: str) -> list[list[object]]:
        return [line[1:] for line in self.lines if line[0] == word]

    def since_reset(self) -> tuple[list[object], bool]:
        """The numbers written since the last reset that was answered, and whether another was under way."""
        written: list[object] = []
        resetting = False
        for word, *rest in self.lines:
            if word == "wrote":
                written.append(rest[0])
            elif word == "resetting":
                resetting = True
            elif word == "reset":
                written, resetting = [], False
        return written, resetting


def kill_during(work: str, victim: str, home: Path, chance: random.Random) -> None:
    """Let a worker work, kill the victim at a random moment, and see that all it was told is true."""
    pyro = Pyro()
    with pyro.workspace.create(network_policy="egress+published-ports") as ws:
        told = _killed(work, victim, home, ws.info.workspace_id, chance)
        kinds = {str(code) for code, *_ in told.all("error")}
        assert kinds <= (_MAYBE if work == "exec" else _TYPED), told.lines
        _is_consistent(home)
        _has_its_services(ws, told)
        _has_its_shells(ws, told)
        _goes_on(ws, told)
        _has_its_lines(ws.exec("cat lines 2>/dev/null || true").stdout.split(), told)
        _has_its_tree(ws, work, told)
        _has_what_was_made(pyro, told)
        _has_its_snapshots(ws, told)
        for left in pyro.workspace.list():
            if left.workspace_id != ws.info.workspace_id:
                assert pyro.workspace.exec(left.workspace_id, "true").exit_code == 0
                pyro.workspace.delete(left.workspace_id)
    _is_consistent(home)
    assert not pyro.workspace.list()


def _killed(work: str, victim: str, home: Path, workspace: str, chance: random.Random) -> Told:
    told = Told()
    with subprocess.Popen(
        [sys.executable, "-m", "tests.worker", workspace, work], stdout=subprocess.PIPE, cwd=_ROOT
    ) as worker:
        assert worker.stdout is not None
        told.lines.append(json.loads(worker.stdout.readline()))
        moment = threading.Timer(chance.uniform(0, _LATEST), _kill, (victim, home, worker))
        if victim != "client":
            # Whoever loses its machine stops with a typed error, if it notices at all: then it goes on until this.
            threading.Timer(_LATEST * 3, worker.kill).start()
        moment.start()
        told.lines += [json.loads(line) for line in worker.stdout if line.endswith(b"\n")]
        moment.join()
    return told


def _kill(victim: str, home: Path, worker: "subprocess.Popen[bytes]") -> None:
    found = _FIND[victim](home) if victim in _FIND else None
    if found is None:
        worker.kill()
    else:
        os.kill(found.pid, signal.SIGKILL)


def _has_its_lines(found: Sequence[str], told: Told) -> None:
    """Each line once and in order; one more may be there, whose answer was still on its way."""
    written, resetting = told.since_reset()
    expected = [str(number) for number in written]
    extra = found[len(expected) :]
    whole = list(found[: len(expected)]) == expected and len(extra) <= 1
    assert whole or (resetting and not found), (found, told.lines)


def _goes_on(ws: Workspace, told: Told) -> None:
    """Whoever was told that nobody knows finds it on its disk again, and is told why it was started."""
    again = ws.exec("true")
    assert again.exit_code == 0
    if told.all("error") and told.all("error")[0][0] == "outcome_unknown":
        assert again.resumed, told.lines
        assert "died" in str(again.resumed_reason) or "killed" in str(again.resumed_reason), again


def _has_its_snapshots(ws: Workspace, told: Told) -> None:
    """Each that was acknowledged is there, and the last one holds what was written before it; what was dropped is gone."""
    going = {name for (name,) in told.all("dropping")}
    dropped = {name for (name,) in told.all("dropped")}
    there = {info.name for info in ws.snapshot.list()}
    snapped = {str(name): number for name, number in told.all("snapped")}
    assert set(snapped) - going <= there, (there, told.lines)
    assert not dropped & there, (there, told.lines)
    assert all(paths == ["lines"] for _, paths in told.all("compared")), told.lines
    if snapped:
        name, number = list(snapped.items())[-1]
        ws.reset(name)
        assert ws.exec("tail -n 1 lines").stdout == f"{number}\n", (name, told.lines)


def _has_its_tree(ws: Workspace, work: str, told: Told) -> None:
    """All of the last operation that was answered, or all of the one whose answer was still on its way; and nothing else."""
    last = max((int(str(number)) for (number,) in told.all("put")), default=-1)
    allowed = [_hashes(tree_of(work, number)) for number in (last, last + 1)]

    def found() -> dict[str, str]:
        listed = ws.exec("find . -type f ! -path ./lines -exec sha256sum {} +").stdout
        return {line.split("  ./tree/")[-1]: line.split()[0] for line in listed.splitlines()}

    # An operation whose client was killed may still be at it.
    wait_until(lambda: found() in allowed, what=f"tree {last} or the next one, whole", timeout=5)


def _has_its_shells(ws: Workspace, told: Told) -> None:
    """Those that were opened are there as long as their machine is, and are missed with a reason afterwards."""
    running = ws.status().state == "running"
    there = {info.shell_id for info in ws.shell.list()}
    last = {str(line[1]): str(line[0]) for line in told.lines if line[0] in ("opened", "closing", "closed")}
    for shell_id, word in last.items():
        if word != "closing":
            assert (shell_id in there) == (running and word == "opened"), (there, told.lines)
        if shell_id not in there:
            with pytest.raises(NotFound, match=f"shell {shell_id} is gone: ."):
                ws.shell.read(shell_id)
    assert (ws.status().state == "running") == running  # asking starts nothing


def _has_its_services(ws: Workspace, told: Told) -> None:
    """What is told to run runs, nothing else does; a port is open exactly where that is told, and on record."""
    running = ws.status().state == "running"
    found = {info.service: info for info in ws.service.list()}
    last = {
        str(line[1]): str(line[0])
        for line in told.lines
        if line[0] in ("beginning", "began", "ending", "ended")
    }
    for name, word in last.items():
        info = found.get(name)
        if word == "began":
            assert info is not None
            assert info.state == ("running" if running else "stopped"), (info, told.lines)
        elif word == "ended":
            assert info is not None
            assert (info.state, info.published_ports) == ("stopped", ()), (info, told.lines)
    ports = [port for info in found.values() for port in info.published_ports]
    opened = {port.host_port for port in ports if port.state == "open"}
    assert running or not opened
    for port in {int(str(number)) for _, number in told.all("began")} | opened:
        assert _listens(port) == (port in opened), (port, found, told.lines)
    recorded = _recorded_ports()
    assert opened <= recorded if running else not recorded
    for name, info in found.items() if running else ():
        held = ws.exec(["flock", "-n", f"/tmp/{name}", "true"]).exit_code == 1
        assert held == (info.state in ("starting", "running")), found


def _listens(port: int) -> bool:
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0


def _recorded_ports() -> set[int]:
    with Engine().sessions.registry.reading() as reading:
        return {row[0] for row in reading.rows("SELECT number FROM resources WHERE kind = 'port'")}


def _hashes(tree: Tree) -> dict[str, str]:
    return {path: hashlib.sha256(text.encode()).hexdigest() for path, text in tree.items()}


def _has_what_was_made(pyro: Pyro, told: Told) -> None:
    gone = {name for (name,) in told.all("deleted")}
    going = {name for (name,) in told.all("deleting")} - gone
    made = {str(name) for name, *_ in [*told.all("created"), *told.all("forked")]}
    there = {info.name for info in pyro.workspace.list()}
    assert not gone & there, told.lines
    assert made - gone - going <= there, (there, told.lines)
    for name, number in told.all("forked"):
        if name in there:
            assert str(number) in pyro.workspace.exec(str(name), "cat lines").stdout.split()


def _has_settled(home: Path) -> bool:
    """Whether no machine is dying: each keeper has a QEMU, and each QEMU a keeper.

    A process without its memory, the last thing before its death, shows in the first way of counting alone.
    """
    with Engine().sessions.registry.reading() as reading:
        keepers = [record.keeper for record in machines.recorded(reading) if record.keeper is not None]
    there = processes_of(home)
    alive = sum(map(is_alive, keepers))
    return alive == sum(found.is_keeper for found in there) == sum(found.is_qemu for found in there)


def _is_consistent(home: Path) -> None:
    """After one more command nothing is left to clean up, and the disk holds what the registry says and no more."""
    wait_until(lambda: _has_settled(home), what="the keeper of a machine that died to end", timeout=15)
    pyro, sessions = Pyro(), Engine().sessions
    there = {info.workspace_id for info in pyro.workspace.list()}
    left = reconcile(sessions.registry, sessions.paths)
    assert left == Reconciled(), left
    directories = {place.name for place in (sessions.paths.state / "workspaces").glob("*")}
    assert directories == there
    with sessions.registry.reading() as reading:
        recorded = {Path(row[0]) for row in reading.rows("SELECT path FROM layers")}
    assert set((sessions.paths.state / "layers").glob("*")) == recorded
    running = [info for info in pyro.workspace.list() if info.state == "running"]
    wait_until(
        lambda: sum(process.is_keeper for process in processes_of(home)) <= len(running),
        what="machines that nobody has to end",
        timeout=15,
    )
