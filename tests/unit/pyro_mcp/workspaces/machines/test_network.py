import json
from pathlib import Path

import pytest

from pyro_mcp.errors import InvalidRequest
from pyro_mcp.models.network import NetworkPolicy, NetworkSettings
from pyro_mcp.workspaces.history import events
from pyro_mcp.workspaces.history.decisions import log_decisions
from pyro_mcp.workspaces.machines import network
from pyro_mcp.workspaces.registry import workspaces
from pyro_mcp.workspaces.registry.database import Registry
from pyro_mcp.workspaces.registry.makers import this_process
from pyro_mcp.workspaces.registry.workspaces import NewWorkspace


@pytest.mark.parametrize(
    ("policy", "hosts", "words"),
    [
        ("egress", ["https://pypi.org"], "a URL where a host belongs"),
        ("egress", ["pypi.org", "a b"], "'a b' is neither"),
        ("off", ["pypi.org"], "means nothing while network_policy is off"),
    ],
)
def test_what_cannot_be_meant_is_refused(policy: NetworkPolicy, hosts: list[str], words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        network.network_settings(policy, hosts)


@pytest.mark.parametrize(
    ("settings", "certificates"),
    [
        (NetworkSettings(), ""),
        (NetworkSettings(policy="egress", host_ca=False), ""),
        (NetworkSettings(policy="egress"), "the host's own"),
    ],
)
def test_certificates_are_handed_in_with_a_network_only(
    settings: NetworkSettings, certificates: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(network, "added_certificates", lambda: "the host's own")
    plan = network.network_plan(settings, tmp_path)
    assert plan.certificates == certificates
    assert plan.record == str(tmp_path / "network.jsonl")


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    found = Registry(tmp_path / "registry.sqlite")
    with found.changing() as change:
        settings = NetworkSettings(policy="egress", allow_hosts=("pypi.org", "*.x"), host_ca=False)
        new = NewWorkspace(id="ws-0000000001", environment="e", environment_digest="d", network=settings)
        assert workspaces.add(change, new, this_process()).network == settings
    return found


def _line(**told: object) -> str:
    return (
        json.dumps(
            {"outcome": "refused", "host": "a.b", "port": 443, "count": 2, "at": 1_700_000_000_000, **told}
        )
        + "\n"
    )


def _logged(registry: Registry, directory: Path) -> list[events.Event]:
    with registry.changing() as change:
        log_decisions(change, "ws-0000000001", directory)
        assert events.verify_chain(change, "ws-0000000001") == ()
        return list(events.latest(change, "ws-0000000001", kind="network"))


def test_decisions_become_events_once_and_whole(registry: Registry, tmp_path: Path) -> None:
    assert _logged(registry, tmp_path) == []
    record = tmp_path / "network.jsonl"
    record.write_text(_line() + _line(outcome="allowed", address="1.2.3.4")[:-20])
    (first,) = _logged(registry, tmp_path)
    assert (first.kind, first.outcome, first.at.year) == ("network", "policy_denied", 2023)
    assert json.loads(first.data) == {"host": "a.b", "port": 443, "count": 2}
    record.write_text(_line() + _line(outcome="allowed", address="1.2.3.4") + _line(outcome="failed"))
    assert [event.outcome for event in _logged(registry, tmp_path)] == ["policy_denied", "done", "failed"]
    assert len(_logged(registry, tmp_path)) == 3


def test_a_line_that_a_full_disk_cut_is_passed_over(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "network.jsonl").write_text('{"outcome": "ref\n[]\n{"at": 1}\n' + _line())
    assert len(_logged(registry, tmp_path)) == 1
