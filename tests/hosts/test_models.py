"""A repair by each host's own agent: the real client, its real configuration, and a stand-in for the model.

What the model is told is what counts: an answer, and an error with what to do next. Run by `make smoke-hosts`.
"""

import json
from dataclasses import dataclass

import pytest
from tests.hosts.conftest import User
from tests.smoke.project import BUG, FIX, write_project
from tests.standin import Call, Model, serving

pytestmark = pytest.mark.timeout(300)
_WS: dict[str, object] = {"workspace": "fix"}
_TESTS: dict[str, object] = {**_WS, "command": ["python3", "-m", "unittest"]}
_EDIT: dict[str, object] = {**_WS, "path": "pricing/money.py", "edits": [{"old": BUG, "new": FIX}]}
_PART: list[Call] = [
    ("workspace_create", {"name": "fix", "seed_path": "."}),
    ("workspace_exec", _TESTS),
    ("workspace_file_edit", _EDIT),
    ("workspace_exec", _TESTS),
    ("workspace_export", {**_WS, "format": "patch", "output_path": "fix.patch"}),
    ("workspace_delete", _WS),
    ("workspace_status", _WS),
]
_LAST = "The cents of 12.5 were read as 5."


@dataclass(frozen=True)
class Host:
    """How a host is told of a model, and asked."""

    name: str
    prefix: str = ""
    namespace: str | None = None

    def ask(self, user: User, url: str) -> str:
        """Give the task to the host's agent."""
        return {"claude-code": _claude, "codex": _codex, "opencode": _opencode}[self.name](user, url)


def _claude(user: User, url: str) -> str:
    user.variables.update(ANTHROPIC_BASE_URL=url.removesuffix("/v1"), ANTHROPIC_API_KEY="sk-stand-in")
    return user.run("claude", "-p", "Mend it.", "--allowedTools", "mcp__pyro")


def _codex(user: User, url: str) -> str:
    user.variables["STAND_IN_KEY"] = "sk-stand-in"
    provider = f'{{name="stand-in", base_url="{url}", env_key="STAND_IN_KEY", wire_api="responses"}}'
    # The first turn waits for the server.
    settings = (
        'model_provider="standin"',
        'model="played"',
        f"model_providers.standin={provider}",
        "mcp_servers.pyro.required=true",
    )
    options = [word for setting in settings for word in ("-c", setting)]
    return user.run("codex", "exec", *options, "--dangerously-bypass-approvals-and-sandbox", "Mend it.")


def _opencode(user: User, url: str) -> str:
    options = {"baseURL": url, "apiKey": "sk-stand-in"}
    provider = {"npm": "@ai-sdk/openai", "options": options, "models": {"played": {"name": "played"}}}
    settings = {"provider": {"standin": provider}, "permission": "allow"}
    (user.home / ".config" / "opencode").mkdir(parents=True, exist_ok=True)
    (user.home / ".config" / "opencode" / "config.json").write_text(json.dumps(settings))
    return user.run("opencode", "run", "-m", "standin/played", "Mend it.")


_HOSTS = [Host("claude-code", "mcp__pyro__"), Host("codex", namespace="mcp__pyro"), Host("opencode", "pyro_")]


@pytest.mark.parametrize("host", _HOSTS, ids=lambda host: host.name)
def test_the_host_s_agent_repairs_a_project(host: Host, user: User) -> None:
    write_project(user.project)
    user.pyro("mcp", "connect", host.name)
    model = Model(_PART, _LAST, prefix=host.prefix, namespace=host.namespace)
    with serving(model) as url:
        said = host.ask(user, url)
    for (tool, _), told in zip(_PART, model.heard, strict=True):
        print(f"{tool:<24} {len(told):>6}  {told[:100]!r}")
    assert model.troubles == []
    assert _LAST in said
    assert "FAILED (failures=1)" in model.heard[1]
    assert "OK" in model.heard[3]
    assert "not_found: there is no workspace 'fix'" in model.heard[-1]
    user.run("git", "apply", "fix.patch")
    assert FIX in (user.project / "pricing/money.py").read_text()
