"""The chat hosts that pyro knows: where each has its configuration, and how an entry looks there.

Pure: what it needs of this computer comes as `Surroundings`. Seen with the real programs; docs/design/chat-hosts.md has
which versions, and what each does with a server it starts.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pyro_mcp.chat_hosts.documents import Place
from pyro_mcp.errors import InvalidRequest
from pyro_mcp.models.encoding import JsonObject

# The name of the server in every configuration.
SERVER = "pyro"
ScopeName = Literal["user", "project", "local"]
# A command of `vm_run` may take 600 s by default, and hosts that give up sooner leave it without an answer.
TOOL_SECONDS = 660
# What makes another pyro of it: a server without them would have its machines elsewhere.
VARIABLES = (
    "PYRO_DEBIAN_MIRROR",
    "PYRO_HOME",
    "PYRO_REQUIRE_CONFINEMENT",
    "PYRO_REQUIRE_ISOLATION",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_RUNTIME_DIR",
    "XDG_STATE_HOME",
)


@dataclass(frozen=True)
class Surroundings:
    """Where the user stands."""

    home: Path
    directory: Path
    # The root of the git repository that the directory is in, else the directory.
    project: Path
    variables: Mapping[str, str]


@dataclass(frozen=True)
class Scope:
    """One configuration file of a host, and the place of the server's entry in it."""

    name: ScopeName
    # The first that exists is the one; where none does, the first is made.
    files: tuple[Path, ...]
    place: Place
    # What the user has to know who connects pyro there.
    note: str | None = None
    # Part of the project, and so of other people's computers.
    shared: bool = False


@dataclass(frozen=True)
class Launch:
    """What starts the server."""

    words: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ChatHost:
    """One host. `scopes` come in the order in which the host prefers them."""

    name: str
    title: str
    format: Literal["json", "jsonc", "toml"]
    scopes: Callable[[Surroundings], tuple[Scope, ...]]
    default_scope: ScopeName
    entry: Callable[[Launch], JsonObject]
    # What a server that it starts sees of the host's own environment: everything (None), or these variables.
    passes_on: tuple[str, ...] | None
    # What callers may name when nobody says, for hosts whose servers do not start in the project.
    host_root: Mapping[ScopeName, str] = field(default_factory=dict)


def host_named(name: str) -> ChatHost:
    """Find a host. Raises InvalidRequest."""
    if name not in HOSTS:
        raise InvalidRequest(f"no chat host is called {name!r}", hint=f"Known: {', '.join(HOSTS)}.")
    return HOSTS[name]


def _claude_code(around: Surroundings) -> tuple[Scope, ...]:
    directory = around.variables.get("CLAUDE_CONFIG_DIR")
    user = Path(directory) / ".claude.json" if directory else around.home / ".claude.json"
    return (
        Scope("local", (user,), ("projects", str(around.project), "mcpServers", SERVER)),
        Scope(
            "project",
            (around.project / ".mcp.json",),
            ("mcpServers", SERVER),
            "Claude Code asks everybody who opens the project to approve it, once.",
            shared=True,
        ),
        Scope("user", (user,), ("mcpServers", SERVER)),
    )


def _codex(around: Surroundings) -> tuple[Scope, ...]:
    home = Path(around.variables.get("CODEX_HOME") or around.home / ".codex")
    return (
        Scope(
            "project",
            (around.project / ".codex" / "config.toml",),
            ("mcp_servers", SERVER),
            "Codex reads a project's configuration when the project is trusted.",
            shared=True,
        ),
        Scope("user", (home / "config.toml",), ("mcp_servers", SERVER)),
    )


def _opencode(around: Surroundings) -> tuple[Scope, ...]:
    given = around.variables.get("XDG_CONFIG_HOME", "")
    user = Path(given if given.startswith("/") else around.home / ".config") / "opencode"
    return (
        Scope("project", _opencode_files(around.project), ("mcp", SERVER), shared=True),
        Scope("user", _opencode_files(user), ("mcp", SERVER)),
    )


def _opencode_files(directory: Path) -> tuple[Path, ...]:
    """OpenCode merges both; the one with comments wins."""
    return directory / "opencode.jsonc", directory / "opencode.json"


def _cursor(around: Surroundings) -> tuple[Scope, ...]:
    place = ("mcpServers", SERVER)
    return (
        Scope("project", (around.project / ".cursor" / "mcp.json",), place, shared=True),
        Scope(
            "user",
            (around.home / ".cursor" / "mcp.json",),
            place,
            "Cursor starts such a server in no project: without --host-root no path of this computer may be named.",
        ),
    )


def _generic(_: Surroundings) -> tuple[Scope, ...]:
    """A host nobody knows has its file where the user says."""
    return (Scope("user", (), ("mcpServers", SERVER)),)


def _typed_entry(launch: Launch) -> JsonObject:
    return {"type": "stdio", **_plain_entry(launch)}


def _plain_entry(launch: Launch) -> JsonObject:
    entry: JsonObject = {"command": launch.words[0], "args": list(launch.words[1:])}
    return {**entry, "env": dict(launch.variables)} if launch.variables else entry


def _codex_entry(launch: Launch) -> JsonObject:
    # Codex takes the variables' names: the values are those of whoever starts it.
    return {
        **_plain_entry(Launch(launch.words)),
        "env_vars": list(VARIABLES),
        "tool_timeout_sec": TOOL_SECONDS,
    }


def _opencode_entry(launch: Launch) -> JsonObject:
    # Without a timeout it is 5 s.
    return {"type": "local", "command": list(launch.words), "timeout": TOOL_SECONDS * 1000}


# What the official SDKs' clients hand on to a server.
_SDK_VARIABLES = ("HOME", "LOGNAME", "PATH", "SHELL", "TERM", "USER")
_CODEX_VARIABLES = (*_SDK_VARIABLES, "LANG", "LC_ALL", "TMPDIR", "TZ")

_ALL: Sequence[ChatHost] = (
    ChatHost("claude-code", "Claude Code", "json", _claude_code, "user", _typed_entry, None),
    ChatHost("codex", "Codex", "toml", _codex, "user", _codex_entry, _CODEX_VARIABLES),
    ChatHost("opencode", "OpenCode", "jsonc", _opencode, "user", _opencode_entry, None),
    ChatHost(
        "cursor",
        "Cursor",
        "jsonc",
        _cursor,
        "project",
        _typed_entry,
        _SDK_VARIABLES,
        host_root={"project": "${workspaceFolder}"},
    ),
    ChatHost("generic", "A host with mcpServers", "jsonc", _generic, "user", _plain_entry, _SDK_VARIABLES),
)
HOSTS: Mapping[str, ChatHost] = {host.name: host for host in _ALL}
