"""Make this host what the registry says it is: run at the start of every command, and cheap when nothing is amiss."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pyro_mcp.host.locks import exclusive
from pyro_mcp.host.paths import Paths
from pyro_mcp.host.processes import ProcessIdentity, has_ended, identify, is_alive, send_signal
from pyro_mcp.workspaces.registry import cleanup, layers, machines, resources, workspaces
from pyro_mcp.workspaces.registry.cleanup import (
    Action,
    DropMachine,
    DropWorkspace,
    Facts,
    Forget,
    Kill,
    Known,
    Remove,
    plan_cleanup,
)
from pyro_mcp.workspaces.registry.database import Change, Registry
from pyro_mcp.workspaces.registry.makers import this_boot

_DEATH_SECONDS = (
    5.0  # a killed process may have memory to give back; one in an uninterruptible wait is not waited for
)
_MACHINE_DIED = "its machine died"


@dataclass(frozen=True)
class Reconciled:
    """What was amiss and has been put right; all empty when nothing was."""

    killed: tuple[ProcessIdentity, ...] = ()
    stopped: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    removed: tuple[Path, ...] = ()


def reconcile(registry: Registry, paths: Paths) -> Reconciled:
    """Find what crashed processes left behind and clean it: kill, stop, delete, remove; then forget it.

    `stopped` names the workspaces whose machine had died, `deleted` those that were half created or half deleted.
    """
    if not _plan(registry):
        return Reconciled()
    with exclusive(paths.state / "reconcile.lock", what="another pyro to clean up"):
        plan = _plan(registry)  # somebody else may have done it meanwhile
        return _carry_out(plan, registry, (paths.state, paths.runtime, paths.cache))


def _plan(registry: Registry) -> tuple[Action, ...]:
    with registry.reading() as reading:
        known = cleanup.load(reading)
    return plan_cleanup(known, _facts(known))


def _facts(known: Known) -> Facts:
    named = {resource.process for resource in known.resources} | {
        machine.keeper for machine in known.machines
    }
    makers = (
        {r.maker for r in known.resources}
        | {m.maker for m in known.machines}
        | {t.maker for t in known.transitions}
    )
    named |= {maker.process for maker in makers}
    alive = frozenset(process for process in named if process is not None and is_alive(process))
    tokens = {
        resource.token
        for resource in known.resources
        if resource.token and resource.process is None and resource.maker.process not in alive
    }
    return Facts(this_boot(), alive, _by_token(tokens) if tokens else {})


def _by_token(tokens: Iterable[str]) -> dict[str, frozenset[ProcessIdentity]]:
    """Whose command line has a token as a word of its own. Only processes of this user, and never this one."""
    found: dict[str, set[ProcessIdentity]] = {token: set() for token in tokens}
    for place in Path("/proc").iterdir():
        if not place.name.isdigit() or int(place.name) == os.getpid():
            continue
        process = identify(int(place.name))
        for token in found.keys() & _words(place):
            if process is not None:
                found[token].add(process)
    return {token: frozenset(processes) for token, processes in found.items()}


def _words(process: Path) -> frozenset[str]:
    try:
        if process.stat().st_uid != os.getuid():
            return frozenset()
        return frozenset((process / "cmdline").read_bytes().decode(errors="replace").split("\0"))
    except OSError:  # it ended
        return frozenset()


def _carry_out(plan: tuple[Action, ...], registry: Registry, roots: tuple[Path, ...]) -> Reconciled:
    killed = tuple(action.process for action in plan if isinstance(action, Kill))
    for process in killed:
        send_signal(process)
    for process in killed:
        has_ended(process, _DEATH_SECONDS)
    dropped = [action for action in plan if isinstance(action, DropMachine | DropWorkspace)]
    with registry.changing() as change:
        stopped = tuple(
            action.workspace_id for action in dropped if _drop(change, action) and action.workspace_id
        )
    removed = tuple(
        action.path for action in plan if isinstance(action, Remove) and _remove(action.path, roots)
    )
    with registry.changing() as change:
        resources.forget(change, (action.resource_id for action in plan if isinstance(action, Forget)))
        doomed = layers.free_unreferenced(change)
    remove_layers(registry, doomed)
    deleted = tuple(action.workspace_id for action in dropped if isinstance(action, DropWorkspace))
    return Reconciled(killed, stopped, deleted, removed)


def remove_layers(registry: Registry, doomed: Iterable[layers.DoomedLayer]) -> None:
    """Remove the files that layers.free_unreferenced() gave, and forget them. Call it after that change."""
    gone = []
    for layer in doomed:
        layer.path.unlink(missing_ok=True)
        gone.append(layer.resource)
    if gone:
        with registry.changing(durable=False) as change:
            resources.forget(change, gone)


def _drop(change: Change, action: DropMachine | DropWorkspace) -> bool:
    """True when a workspace lost its machine by it."""
    if isinstance(action, DropWorkspace):
        workspaces.remove(change, action.workspace_id)
        return False
    machines.forget(change, action.machine_id)
    if action.workspace_id is None:
        return False
    found = workspaces.find(change, action.workspace_id)
    if found is None or found.state != "running":
        return False
    workspaces.set_state(change, action.workspace_id, "stopped", reason=_MACHINE_DIED)
    return True


def _remove(path: Path, roots: tuple[Path, ...]) -> bool:
    """Remove it, if it lies where pyro keeps things: a broken record must not cost anybody a file."""
    if ".." in path.parts or not any(root in path.parents for root in roots):
        return False
    if path.is_dir() and not path.is_symlink():
        import shutil

        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
    return True
