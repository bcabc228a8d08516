"""Services and ports on record: a port is one machine's at a time, and its workspace's for longer."""

import pytest
from tests.unit.pyro_mcp.workspaces.registry.conftest import Host

from pyro_mcp.errors import Conflict, LimitReached
from pyro_mcp.models.service import PortMapping
from pyro_mcp.workspaces.registry import Registry, machines, resources, services, workspaces
from pyro_mcp.workspaces.registry.makers import this_process

PORT = PortMapping("127.0.0.1", 8080, 80)


def _run(registry: Registry, host: Host, workspace: str) -> None:
    with registry.changing() as change:
        machines.claim(
            change, workspace, workspace_id=workspace, runtime=host.directory / "sock", maker=this_process()
        )


def _publish(registry: Registry, workspace: str, service: str = "web", port: PortMapping = PORT) -> None:
    with registry.changing() as change:
        services.publish(change, workspace, service, port, this_process())


def _ports(registry: Registry) -> list[tuple[str, int | None]]:
    with registry.reading() as reading:
        return [(found.owner, found.number) for found in resources.recorded(reading) if found.kind == "port"]


def test_a_start_takes_the_place_of_the_one_before(registry: Registry, host: Host) -> None:
    workspace = host.workspace()
    with registry.changing() as change:
        services.put(change, workspace, "web", "run-1", "serve", "/workspace")
        services.put(change, workspace, "web", "run-2", ["serve", "--fast"], "/")
        (found,) = services.listed(change, workspace)
    assert (found.run_id, found.command, found.cwd) == ("run-2", ("serve", "--fast"), "/")


def test_names_are_bounded_but_one_can_be_used_again(
    registry: Registry, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "MOST_SERVICES", 1)
    workspace = host.workspace()
    with registry.changing() as change:
        services.put(change, workspace, "web", "run-1", "serve", "/")
        services.put(change, workspace, "web", "run-2", "serve", "/")
        with pytest.raises(LimitReached):
            services.put(change, workspace, "api", "run-3", "serve", "/")


def test_a_port_is_refused_to_a_second_workspace_which_is_told_whose_it_is(
    registry: Registry, host: Host
) -> None:
    first, second = host.workspace("first"), host.workspace("second")
    _publish(registry, first)
    with pytest.raises(Conflict, match="8080 is published already by the workspace first"):
        _publish(registry, second)
    assert _ports(registry) == [(first, 8080)]


def test_a_withdrawn_port_is_free(registry: Registry, host: Host) -> None:
    first, second = host.workspace(), host.workspace()
    _publish(registry, first)
    _publish(registry, first, "api", PortMapping("::1", 8081, 81))
    with registry.changing() as change:
        services.withdraw(change, first, "web")
        assert services.ports_of(change, first) == {"api": [PortMapping("::1", 8081, 81)]}
        assert not services.is_published(change, 8080)
    _publish(registry, second)


def test_the_next_machine_gets_the_ports_that_nobody_took_meanwhile(registry: Registry, host: Host) -> None:
    first, second = host.workspace(), host.workspace()
    _publish(registry, first)
    _publish(registry, first, "api", PortMapping("127.0.0.1", 8081, 81))
    with registry.changing() as change:
        resources.forget(change, [found.id for found in resources.recorded(change) if found.kind == "port"])
    _publish(registry, second)  # while the first has no machine
    _run(registry, host, first)
    with registry.changing() as change:
        again = services.publish_again(change, first, this_process())
    assert again == [("api", PortMapping("127.0.0.1", 8081, 81))]
    assert sorted(_ports(registry)) == sorted([(second, 8080), (first, 8081)])
    with registry.changing() as change:  # the machine exchanged at once, as by a reset
        assert services.publish_again(change, first, this_process()) == again


def test_all_of_it_goes_with_the_workspace(registry: Registry, host: Host) -> None:
    workspace = host.workspace()
    _publish(registry, workspace)
    with registry.changing() as change:
        services.put(change, workspace, "web", "run-1", "serve", "/")
        workspaces.remove(change, workspace)
        assert services.listed(change, workspace) == ()
        assert services.ports_of(change, workspace) == {}
