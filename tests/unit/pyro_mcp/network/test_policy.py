"""What is reached and what is not, decided without a socket."""

from ipaddress import ip_address

import pytest

from pyro_mcp.network.destinations import Address, parse_destination
from pyro_mcp.network.policy import Judgement, Mode, Policy, parse_mode


def _judge(policy: Policy, host: str, port: int = 443) -> Judgement:
    return policy.judge(parse_destination(host), port)


def _reached(policy: Policy, host: str, *addresses: str, port: int = 443) -> list[str]:
    """What the keeper does: judge the name, then every address that it resolves to."""
    if not _judge(policy, host, port).allowed:
        return []
    found = [ip_address(address) for address in addresses]
    return [str(item) for item in found if policy.address_fault(item, port, _own) is None]


def _own(address: Address) -> bool:
    return str(address) == "203.0.113.5"


def test_off_is_off() -> None:
    for host in ("pypi.org", "1.1.1.1", "::1", "no name"):
        judged = _judge(Policy(), host)
        assert (judged.allowed, judged.reason) == (False, "it has no network")


@pytest.mark.parametrize("mode", ["egress", "egress+published-ports"])
def test_egress_reaches_every_public_host(mode: Mode) -> None:
    policy = Policy.of(mode, [])
    assert _reached(policy, "pypi.org", "151.101.0.223", "198.51.100.7") == ["151.101.0.223", "198.51.100.7"]
    assert _reached(policy, "8.8.8.8", "8.8.8.8") == ["8.8.8.8"]


@pytest.mark.parametrize(
    "answer", ["127.0.0.1", "169.254.169.254", "10.0.0.1", "::1", "::ffff:127.0.0.1", "203.0.113.5"]
)
def test_a_name_that_leads_back_is_refused_whatever_it_is_called(answer: str) -> None:
    """DNS rebinding: the addresses are judged when it is connected, not when it was asked for."""
    for rules in ([], ["*"], ["*.evil.example"], ["rebind.evil.example"]):
        assert _reached(Policy.of("egress", rules), "rebind.evil.example", answer) == []
        assert _reached(Policy.of("egress", rules), "rebind.evil.example", answer, "1.1.1.1") == ["1.1.1.1"]


def test_a_rule_that_names_the_address_lets_a_named_host_lead_there() -> None:
    policy = Policy.of("egress", ["intranet.example", "10.1.0.0/16:443"])
    assert _reached(policy, "intranet.example", "10.1.2.3", "10.2.2.3") == ["10.1.2.3"]
    assert _reached(policy, "intranet.example", "10.1.2.3", port=80) == []
    assert _reached(policy, "other.example", "10.1.2.3") == []
    assert _reached(policy, "10.1.2.3", "10.1.2.3") == ["10.1.2.3"]


def test_rules_narrow() -> None:
    policy = Policy.of("egress", ["pypi.org", "*.pythonhosted.org:443"])
    assert _judge(policy, "pypi.org", 80) == Judgement(allowed=True, by_name=True)
    assert _judge(policy, "files.pythonhosted.org", 443).allowed
    assert not _judge(policy, "files.pythonhosted.org", 80).allowed
    assert not _judge(policy, "example.org").allowed
    assert not _judge(policy, "151.101.0.223").allowed  # an address is nobody's name


def test_a_placeholder_without_a_name_is_refused_though_the_range_is_public() -> None:
    for policy in (Policy.of("egress", []), Policy.of("egress", ["*"])):
        assert not _judge(policy, "198.18.1.7").allowed
        assert not _judge(policy, "::ffff:198.18.1.7").allowed
    assert _judge(Policy.of("egress", ["198.18.0.0/15"]), "198.18.1.7").allowed
    assert _reached(Policy.of("egress", []), "fake-ip.example", "198.18.1.7") == ["198.18.1.7"]


def test_what_tls_asks_for_must_be_named_as_well() -> None:
    policy = Policy.of("egress", ["pypi.org:443", "*.example.org"])
    assert policy.judge_server_name("PYPI.org", 443).allowed
    assert policy.judge_server_name("a.example.org", 8443).allowed
    assert (
        policy.judge_server_name("evil.example", 443).reason
        == "TLS asks for evil.example, which no rule names"
    )
    assert not policy.judge_server_name("pypi.org", 8443).allowed
    assert not policy.judge_server_name("127.0.0.1", 443).allowed


def test_a_mode_that_nobody_knows_is_off() -> None:
    assert parse_mode("on") == "off"
    assert parse_mode("egress+published-ports") == "egress+published-ports"


def test_the_host_is_reached_by_its_name_where_a_rule_names_it() -> None:
    host = "host.pyro.internal"
    for rules in (["127.0.0.1:8080"], ["host.pyro.internal:8080"]):
        policy = Policy.of("egress", rules)
        assert _reached(policy, host, "127.0.0.1", port=8080) == ["127.0.0.1"]
        assert _reached(policy, host, "127.0.0.1", port=8081) == []
        assert policy.judge(parse_destination(host), None).allowed
    for rules in ([], ["*"]):
        assert _reached(Policy.of("egress", rules), host, "127.0.0.1", port=8080) == []
