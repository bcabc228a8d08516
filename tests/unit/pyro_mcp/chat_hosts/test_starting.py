"""What a host would start is read from its configuration as the host reads it."""

import json
from pathlib import Path

import pytest

from pyro_mcp.chat_hosts.connect import Wanted, connect
from pyro_mcp.chat_hosts.known import HOSTS, Surroundings, host_named
from pyro_mcp.chat_hosts.starting import Start, what_would_start
from pyro_mcp.errors import HostUnfit, InvalidRequest, NotFound

_ANY = Wanted("workspace-core")


def _start(host: str, around: Surroundings) -> Start:
    return what_would_start(host_named(host), _ANY, around)


@pytest.mark.parametrize("host", [name for name in HOSTS if name != "generic"])
def test_what_connect_wrote_is_what_would_start(host: str, around: Surroundings) -> None:
    connect(host_named(host), _ANY, ("/bin/true",), around)
    start = _start(host, around)
    root = ("--host-root", str(around.project)) if host == "cursor" else ()
    assert start.words == ("/bin/true", "mcp", "serve", "--profile", "workspace-core", *root)
    assert start.directory == around.directory


def test_a_host_hands_on_its_own_environment_or_not(around: Surroundings) -> None:
    for host in ("claude-code", "codex"):
        connect(host_named(host), _ANY, ("/bin/true",), around)
    assert _start("claude-code", around).variables == around.variables
    codex = _start("codex", around).variables
    assert (codex["PYRO_HOME"], "TOKEN" in codex) == ("/srv/pyro", False)


def test_the_project_goes_before_the_user(around: Surroundings) -> None:
    connect(host_named("claude-code"), _ANY, ("/bin/false",), around)
    connect(host_named("claude-code"), Wanted("vm-run", "project"), ("/bin/true",), around)
    assert _start("claude-code", around).scope == "project"


def test_references_are_filled_in(around: Surroundings) -> None:
    entry = {"command": "/bin/${KIND:-true}", "args": ["${HOME}", "$1"], "env": {"T": "${env:TOKEN}"}}
    (around.project / ".mcp.json").write_text(json.dumps({"mcpServers": {"pyro": entry}}))
    start = _start("claude-code", around)
    assert start.words == ("/bin/true", str(around.home), "$1")
    assert start.variables["T"] == "t"


@pytest.mark.parametrize("host", [name for name in HOSTS if name != "generic"])
def test_a_host_that_knows_nothing_of_pyro(host: str, around: Surroundings) -> None:
    with pytest.raises(NotFound, match="pyro is not configured in") as missing:
        _start(host, around)
    assert missing.value.hint == f"pyro mcp connect {host}"


def test_a_program_that_is_gone(around: Surroundings, tmp_path: Path) -> None:
    connect(host_named("codex"), _ANY, (str(tmp_path / "gone" / "pyro"),), around)
    with pytest.raises(HostUnfit, match=r"is not there: .*/gone/pyro"):
        _start("codex", around)


def test_a_server_that_is_switched_off(around: Surroundings) -> None:
    connect(host_named("opencode"), _ANY, ("/bin/true",), around)
    config = around.home / ".config" / "opencode" / "opencode.jsonc"
    config.write_text(config.read_text().replace('"type"', '"enabled": false, "type"'))
    with pytest.raises(InvalidRequest, match="switched off"):
        _start("opencode", around)
