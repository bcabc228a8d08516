from pathlib import Path

import pytest

from pyro_mcp.host.processes import ProcessIdentity
from pyro_mcp.workspaces.registry.cleanup import (
    DropMachine,
    DropWorkspace,
    Facts,
    Forget,
    Kill,
    Known,
    Remove,
    Transition,
    plan_cleanup,
)
from pyro_mcp.workspaces.registry.machines import MachineRecord
from pyro_mcp.workspaces.registry.makers import Maker
from pyro_mcp.workspaces.registry.resources import Kind, Phase, ResourceRecord, Scope
from pyro_mcp.workspaces.registry.times import from_ms

LIVING, DEAD = ProcessIdentity(10, 1), ProcessIdentity(11, 1)
KEEPER, QEMU = ProcessIdentity(20, 1), ProcessIdentity(21, 1)
BOOT = "this boot"
FACTS = Facts(BOOT, frozenset({LIVING, KEEPER, QEMU}), {})
PATH = Path("/state/thing")


def resource(
    kind: Kind = "directory",
    scope: Scope = "maker",
    phase: Phase = "made",
    owner: str = "w",
    maker: ProcessIdentity = LIVING,
    process: ProcessIdentity | None = None,
    boot: str = BOOT,
    token: str | None = None,
) -> ResourceRecord:
    path = PATH if kind in ("directory", "socket", "layer", "lock") else None
    return ResourceRecord(
        id=1, kind=kind, scope=scope, owner=owner, phase=phase, path=path, number=None, token=token, process=process,
        maker=Maker(maker, boot),
    )  # fmt: skip


def machine(
    keeper: ProcessIdentity | None,
    maker: ProcessIdentity = DEAD,
    boot: str = BOOT,
    workspace: str | None = "w",
) -> MachineRecord:
    return MachineRecord(
        id="m", workspace_id=workspace, runtime=Path("/run/m"), maker=Maker(maker, boot), keeper=keeper,
        isolation=None, confinement=None, created_at=from_ms(0),
    )  # fmt: skip


def known(
    *resources: ResourceRecord,
    machines: tuple[MachineRecord, ...] = (),
    transitions: tuple[Transition, ...] = (),
    workspaces: frozenset[str] = frozenset({"w"}),
) -> Known:
    return Known(resources, machines, transitions, workspaces)


KEPT = {
    "being made": resource(phase="planned"),
    "its maker lives": resource(),
    "its workspace exists": resource(scope="workspace", maker=DEAD),
    "made in an earlier boot for a workspace": resource(scope="workspace", maker=DEAD, boot="earlier"),
    "its machine runs": resource(scope="machine", owner="m", maker=DEAD),
    "a process of a machine that runs": resource("process", "machine", owner="m", maker=DEAD, process=QEMU),
}


@pytest.mark.parametrize("record", KEPT.values(), ids=KEPT.keys())
def test_what_somebody_wants_is_left_alone(record: ResourceRecord) -> None:
    assert plan_cleanup(known(record, machines=(machine(KEEPER),)), FACTS) == ()


GONE = {
    "its maker died while making it": resource(phase="planned", maker=DEAD),
    "its maker died": resource(maker=DEAD),
    "its maker's number is somebody else's in this boot": resource(maker=LIVING, boot="earlier"),
    "planned for a workspace by somebody who died": resource(phase="planned", scope="workspace", maker=DEAD),
    "its workspace is gone": resource(scope="workspace", owner="gone"),
    "its machine is gone": resource(scope="machine", owner="gone"),
    "nobody wants it": resource(phase="doomed"),
}


@pytest.mark.parametrize("record", GONE.values(), ids=GONE.keys())
def test_what_nobody_wants_is_removed_then_forgotten(record: ResourceRecord) -> None:
    assert plan_cleanup(known(record), FACTS) == (Remove(PATH), Forget(1))


def test_a_lock_is_forgotten_but_its_file_stays() -> None:
    assert plan_cleanup(known(resource("lock", maker=DEAD)), FACTS) == (Forget(1),)


def test_a_dead_keeper_takes_its_machine_and_all_it_had_along() -> None:
    things = (
        resource("process", "machine", owner="m", maker=DEAD, process=QEMU),
        resource("socket", "machine", owner="m", maker=DEAD),
    )
    plan = plan_cleanup(known(*things, machines=(machine(DEAD),)), FACTS)
    assert plan == (Kill(QEMU), DropMachine("m", "w"), Remove(PATH), Forget(1), Forget(1))


def test_a_machine_that_starts_is_held_by_whoever_starts_it() -> None:
    assert plan_cleanup(known(machines=(machine(None, maker=LIVING),)), FACTS) == ()
    assert plan_cleanup(known(machines=(machine(None, maker=DEAD),)), FACTS) == (DropMachine("m", "w"),)


def test_no_machine_outlives_the_boot() -> None:
    """The numbers may be taken again by others: nobody is killed."""
    qemu = resource("process", "machine", owner="m", maker=LIVING, process=QEMU, boot="earlier")
    plan = plan_cleanup(known(qemu, machines=(machine(KEEPER, boot="earlier"),)), FACTS)
    assert plan == (DropMachine("m", "w"), Forget(1))


def test_a_process_whose_number_nobody_recorded_is_found_by_its_token() -> None:
    lost = resource("process", "machine", "planned", owner="m", maker=DEAD, token="m")
    facts = Facts(BOOT, FACTS.alive, {"m": frozenset({QEMU})})
    assert plan_cleanup(known(lost), facts) == (Kill(QEMU), Forget(1))


def test_a_process_that_ended_is_forgotten() -> None:
    ended = resource("process", "machine", owner="m", maker=DEAD, process=DEAD)
    assert plan_cleanup(known(ended, machines=(machine(KEEPER),)), FACTS) == (Forget(1),)


def test_a_workspace_half_made_goes_with_its_machine_and_all_it_had() -> None:
    things = resource(scope="workspace", maker=DEAD)
    half = Transition("w", Maker(DEAD, BOOT))
    plan = plan_cleanup(known(things, machines=(machine(KEEPER),), transitions=(half,)), FACTS)
    assert plan == (Kill(KEEPER), DropWorkspace("w"), Remove(PATH), Forget(1))


def test_a_workspace_that_is_being_made_is_left_alone() -> None:
    making = Transition("w", Maker(LIVING, BOOT))
    assert plan_cleanup(known(resource(scope="workspace"), transitions=(making,)), FACTS) == ()
