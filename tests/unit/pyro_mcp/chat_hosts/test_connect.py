"""Connecting a chat host writes one entry, keeps the rest, and does nothing twice."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from pyro_mcp.chat_hosts import connect as module
from pyro_mcp.chat_hosts.connect import Change, Wanted, connect, disconnect, printed
from pyro_mcp.chat_hosts.finding import read_text
from pyro_mcp.chat_hosts.known import HOSTS, ScopeName, Surroundings, host_named
from pyro_mcp.errors import Conflict, HostUnfit, InvalidRequest

_LAUNCHER = ("/opt/pyro",)
_SERVE = ["mcp", "serve", "--profile", "workspace-core"]


def _connect(host: str, around: Surroundings, **wanted: Any) -> Change:
    return connect(
        host_named(host), Wanted(wanted.pop("profile", "workspace-core"), **wanted), _LAUNCHER, around
    )


def _json(file: Path) -> Any:
    return json.loads(file.read_text())


def test_claude_code(around: Surroundings) -> None:
    change = _connect("claude-code", around)
    entry = {"type": "stdio", "command": "/opt/pyro", "args": _SERVE}
    assert change.config == around.home / ".claude.json"
    assert _json(change.config) == {"mcpServers": {"pyro": entry}}
    assert change.config.stat().st_mode & 0o777 == 0o600


def test_claude_code_in_the_project(around: Surroundings) -> None:
    shared = _connect("claude-code", around, scope="project")
    assert shared.config == around.project / ".mcp.json"
    assert shared.config.stat().st_mode & 0o777 == 0o644
    local = _connect("claude-code", around, scope="local")
    assert list(_json(local.config)["projects"][str(around.project)]["mcpServers"]) == ["pyro"]


def test_codex_forwards_what_makes_it_this_pyro(around: Surroundings) -> None:
    change = _connect("codex", around, profile="workspace-full")
    entry = tomllib.loads(change.config.read_text())["mcp_servers"]["pyro"]
    assert change.config == around.home / ".codex" / "config.toml"
    assert entry["args"][-1] == "workspace-full"
    assert "PYRO_HOME" in entry["env_vars"]
    assert entry["tool_timeout_sec"] > 600


def test_opencode(around: Surroundings) -> None:
    change = _connect("opencode", around)
    assert change.config == around.home / ".config" / "opencode" / "opencode.jsonc"
    assert _json(change.config)["mcp"]["pyro"]["command"] == ["/opt/pyro", *_SERVE]


def test_opencode_keeps_to_the_file_that_is_there(around: Surroundings) -> None:
    there = around.home / ".config" / "opencode" / "opencode.json"
    there.parent.mkdir(parents=True)
    there.write_text('{\n  // mine\n  "model": "x",\n}\n')
    assert _connect("opencode", around).config == there
    assert there.read_text().startswith('{\n  // mine\n  "model": "x",\n  "mcp": {')


def test_cursor_names_the_project_to_the_server(around: Surroundings) -> None:
    change = _connect("cursor", around)
    assert change.config == around.project / ".cursor" / "mcp.json"
    entry = _json(change.config)["mcpServers"]["pyro"]
    assert entry["args"][-2:] == ["--host-root", "${workspaceFolder}"]
    assert "env" not in entry  # others have that file too


def test_a_host_that_keeps_its_environment_to_itself_is_told_what_matters(around: Surroundings) -> None:
    entry = _json(_connect("cursor", around, scope="user").config)["mcpServers"]["pyro"]
    assert entry["env"] == {"PYRO_HOME": "/srv/pyro"}


def test_generic(around: Surroundings, tmp_path: Path) -> None:
    config = tmp_path / "any.json"
    change = _connect("generic", around, config=config, host_roots=("..",))
    assert change.config == config
    assert _json(config)["mcpServers"]["pyro"]["args"] == [*_SERVE, "--host-root", str(around.project)]
    with pytest.raises(InvalidRequest, match="not known"):
        _connect("generic", around)


@pytest.mark.parametrize("host", [name for name in HOSTS if name != "generic"])
def test_a_second_time_changes_nothing_and_remove_takes_it_out(host: str, around: Surroundings) -> None:
    first = _connect(host, around)
    written = first.config.read_bytes()
    again = _connect(host, around)
    assert (first.changed, again.changed) == (True, False)
    assert first.config.read_bytes() == written
    gone = disconnect(host_named(host), Wanted("workspace-core"), around)
    assert (gone.before, gone.after) == (first.after, None)
    assert not disconnect(host_named(host), Wanted("workspace-core"), around).changed


@pytest.mark.parametrize("host", list(HOSTS))
def test_what_is_printed_is_what_is_written(host: str, around: Surroundings, tmp_path: Path) -> None:
    said = printed(host_named(host), Wanted("vm-run"), _LAUNCHER, around)
    assert [found for found in around.home.rglob("*") if found.is_file()] == []
    config = tmp_path / "config"
    _connect(host, around, profile="vm-run", config=config)
    assert config.read_text().strip() == said


def test_what_others_wrote_into_the_entry_stays(around: Surroundings) -> None:
    config = around.home / ".codex" / "config.toml"
    config.parent.mkdir()
    config.write_text(
        '[mcp_servers.pyro]\ncommand = "old"\nenabled = false\nenabled_tools = ["vm_run"] # only this\n'
        '[mcp_servers.pyro.env]\nMINE = "1"\n'
    )
    _connect("codex", around)
    entry = tomllib.loads(config.read_text())["mcp_servers"]["pyro"]
    assert (entry["command"], entry["enabled"], entry["env"]) == ("/opt/pyro", True, {"MINE": "1"})
    assert 'enabled_tools = ["vm_run"] # only this\n' in config.read_text()


def test_a_stale_variable_goes_and_a_foreign_one_stays(around: Surroundings) -> None:
    config = around.home / ".cursor" / "mcp.json"
    config.parent.mkdir()
    env = {"PYRO_HOME": "/old", "XDG_STATE_HOME": "/old", "MINE": "1"}
    config.write_text(json.dumps({"mcpServers": {"pyro": {"command": "x", "env": env, "disabled": True}}}))
    _connect("cursor", around, scope="user")
    entry = _json(config)["mcpServers"]["pyro"]
    assert entry["env"] == {"MINE": "1", "PYRO_HOME": "/srv/pyro"}
    assert "disabled" not in entry


@pytest.mark.parametrize(
    ("host", "text", "why"),
    [
        ("claude-code", b"{", "Expecting property name"),
        ("claude-code", b"{// no\n}", "Expecting property name"),
        ("claude-code", b'{"mcpServers": []}', "no object"),
        ("claude-code", b'{"mcpServers": {"pyro": 3}}', "no table"),
        ("codex", b"mcp_servers = 3\n", "no table"),
        ("codex", b"[[\n", ""),
        ("opencode", b"\xff{}", "UTF-8"),
    ],
)
def test_what_cannot_be_understood_stays_as_it_is(
    host: str, text: bytes, why: str, around: Surroundings, tmp_path: Path
) -> None:
    config = tmp_path / "config"
    config.write_bytes(text)
    with pytest.raises(InvalidRequest, match="cannot be understood") as refused:
        _connect(host, around, config=config)
    assert why in (refused.value.details or "")
    assert config.read_bytes() == text


def test_links_and_modes_are_kept(around: Surroundings, tmp_path: Path) -> None:
    kept = tmp_path / "dotfiles.json"
    kept.write_text("{}")
    kept.chmod(0o640)
    (around.home / ".claude.json").symlink_to(kept)
    _connect("claude-code", around)
    assert (around.home / ".claude.json").is_symlink()
    assert "pyro" in kept.read_text()
    assert kept.stat().st_mode & 0o777 == 0o640


def test_a_change_by_the_host_meanwhile_is_not_lost(
    around: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = around.home / ".claude.json"
    config.write_text("{}")

    def meanwhile(file: Path) -> str | None:
        file.write_text('{"host": "was here"}')
        return read_text(file)

    monkeypatch.setattr(module, "read_text", meanwhile)
    with pytest.raises(Conflict, match="changed by another program"):
        _connect("claude-code", around)
    assert _json(config) == {"host": "was here"}
    assert {found.name for found in around.home.iterdir()} == {"project", ".claude.json"}


def test_what_cannot_be_written_is_said(around: Surroundings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HostUnfit, match="cannot be"):
        _connect("codex", around, config=tmp_path / "file" / "config.toml")


@pytest.mark.parametrize(("host", "scope"), [("codex", "local"), ("cursor", "local"), ("generic", "project")])
def test_a_scope_that_a_host_lacks_is_refused(host: str, scope: ScopeName, around: Surroundings) -> None:
    with pytest.raises(InvalidRequest, match=f"no configuration of scope {scope}"):
        _connect(host, around, scope=scope)
