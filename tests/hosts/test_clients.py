"""What `pyro mcp connect` writes is read back by the real clients, and what they write is understood: `make smoke-hosts`."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.hosts.conftest import User

pytestmark = pytest.mark.timeout(900)
_PYRO = str(Path(sys.executable).with_name("pyro"))
_SERVE = "mcp serve --profile workspace-core"


def test_claude_code(user: User) -> None:
    user.run("claude", "mcp", "add", "other", "--scope", "user", "--env", "A=b", "--", "/bin/other", "x")
    user.pyro("mcp", "connect", "claude-code")
    said = user.run("claude", "mcp", "get", "pyro")
    assert "Connected" in said
    assert f"Command: {_PYRO}\n" in said
    assert f"Args: {_SERVE}\n" in said
    assert "A=b" in user.run("claude", "mcp", "get", "other")
    assert "nothing to change" in user.pyro("mcp", "connect", "claude-code")
    assert "Claude Code can work with pyro." in user.pyro("mcp", "check", "claude-code")
    user.pyro("mcp", "connect", "claude-code", "--remove")
    user.run("claude", "mcp", "get", "pyro", status=1)
    assert "A=b" in user.run("claude", "mcp", "get", "other")


@pytest.mark.parametrize(("scope", "shown"), [("project", "Project config"), ("local", "Local config")])
def test_claude_code_in_a_project(user: User, scope: str, shown: str) -> None:
    user.pyro("mcp", "connect", "claude-code", "--scope", scope, "--profile", "vm-run")
    said = user.run("claude", "mcp", "get", "pyro")
    assert shown in said
    assert "Args: mcp serve --profile vm-run\n" in said


def test_what_claude_code_wrote_is_brought_up_to_date(user: User) -> None:
    user.run("claude", "mcp", "add", "pyro", "--scope", "user", "--env", "MINE=1", "--", "/gone/pyro", "x")
    assert "is not there: /gone/pyro" in user.pyro("mcp", "check", "claude-code", status=5)
    user.pyro("mcp", "connect", "claude-code")
    said = user.run("claude", "mcp", "get", "pyro")
    assert "Connected" in said
    assert "MINE=1" in said


def test_codex(user: User) -> None:
    user.run("codex", "mcp", "add", "other", "--", "/bin/other")
    user.pyro("mcp", "connect", "codex", "--profile", "workspace-full")
    found: dict[str, Any] = json.loads(_json(user.run("codex", "mcp", "get", "pyro", "--json")))
    assert found["enabled"] is True
    assert found["transport"]["command"] == _PYRO
    assert found["transport"]["args"][-1] == "workspace-full"
    assert "XDG_STATE_HOME" in found["transport"]["env_vars"]
    assert found["tool_timeout_sec"] == 660
    assert "other" in user.run("codex", "mcp", "list")
    assert "Codex can work with pyro." in user.pyro("mcp", "check", "codex")
    user.run("codex", "mcp", "remove", "pyro")
    assert "pyro is not configured in" in user.pyro("mcp", "check", "codex", status=3)


def test_codex_in_a_trusted_project(user: User) -> None:
    said = user.pyro("mcp", "connect", "codex", "--scope", "project")
    assert "trusted" in said
    assert "pyro" not in user.run("codex", "mcp", "list")
    config = user.home / ".codex" / "config.toml"
    config.parent.mkdir(exist_ok=True)
    config.write_text(f'[projects."{user.project}"]\ntrust_level = "trusted"\n')
    assert _PYRO in user.run("codex", "mcp", "list")


@pytest.mark.parametrize("scope", ["user", "project"])
def test_opencode(user: User, scope: str) -> None:
    user.run("opencode", "mcp", "list")  # its first run writes a configuration
    user.pyro("mcp", "connect", "opencode", "--scope", scope)
    said = user.run("opencode", "mcp", "list")
    assert "pyro connected" in said
    assert _SERVE in said
    assert "OpenCode can work with pyro." in user.pyro("mcp", "check", "opencode")
    user.pyro("mcp", "connect", "opencode", "--scope", scope, "--remove")
    assert "No MCP servers configured" in user.run("opencode", "mcp", "list")


def test_opencode_adds_beside_pyro(user: User) -> None:
    user.pyro("mcp", "connect", "opencode")
    user.run("opencode", "mcp", "add", "other", "--", "/bin/true")
    assert "nothing to change" in user.pyro("mcp", "connect", "opencode")
    assert "pyro connected" in user.run("opencode", "mcp", "list")


def test_inspector_calls_the_tools(user: User) -> None:
    config = user.project / "mcp.json"
    user.pyro("mcp", "connect", "generic", "--config", str(config))

    def inspect(method: str, *arguments: str) -> Any:
        server = ("--config", str(config), "--server", "pyro")
        return json.loads(_json(user.run("mcp-inspector", "--cli", *server, "--method", method, *arguments)))

    tools = [tool["name"] for tool in inspect("tools/list")["tools"]]
    assert {"vm_run", "workspace_create", "workspace_diff"} <= set(tools)

    def call(tool: str, *arguments: str) -> Any:
        given = [word for argument in arguments for word in ("--tool-arg", argument)]
        return inspect("tools/call", "--tool-name", tool, *given)

    ran = call("vm_run", "environment=debian:12", "command=uname -s; exit 3")
    assert (ran["structuredContent"]["stdout"], ran["structuredContent"]["exit_code"]) == ("Linux\n", 3)
    call("workspace_create", "name=looked-at", "seed_path=.")
    listed = call("workspace_list")["structuredContent"]["workspaces"]
    assert [found["name"] for found in listed] == ["looked-at"]
    assert call("workspace_delete", "workspace=looked-at").get("isError") in (None, False)
    refused = call("workspace_status", "workspace=looked-at")
    assert refused["isError"] is True
    assert refused["content"][0]["text"].startswith("not_found: ")


def _json(said: str) -> str:
    """Without the lines around it, such as warnings on stderr."""
    lines = said.splitlines()
    first = next(number for number, line in enumerate(lines) if line[:1] in ("{", "["))
    last = max(number for number, line in enumerate(lines) if line[:1] in ("}", "]"))
    return "\n".join(lines[first : last + 1])
