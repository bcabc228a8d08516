"""What a chat host would start, read from its configuration: words, variables and directory, with nothing left to fill in."""

import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pyro_mcp.chat_hosts.connect import Wanted
from pyro_mcp.chat_hosts.finding import Configuration, configuration, scope_named, words_of
from pyro_mcp.chat_hosts.known import ChatHost, ScopeName, Surroundings
from pyro_mcp.errors import HostUnfit, InvalidRequest, NotFound
from pyro_mcp.models.encoding import JsonObject

# ${NAME}, ${env:NAME} and ${NAME:-default}, as Claude Code and Cursor have them.
_REFERENCE = re.compile(r"\$\{(?:env:)?([A-Za-z_]\w*)(?::-([^}]*))?\}")


@dataclass(frozen=True)
class Start:
    """A server as the host would start it."""

    config: Path
    scope: ScopeName
    words: tuple[str, ...]
    variables: Mapping[str, str]
    directory: Path


def what_would_start(host: ChatHost, wanted: Wanted, around: Surroundings) -> Start:
    """Read the configuration that the host prefers. Raises NotFound, InvalidRequest or HostUnfit for what is wrong with it."""
    found = _configured(host, wanted, around)
    entry = found.entry
    assert entry is not None
    if entry.get("enabled") is False or entry.get("disabled") is True:
        raise InvalidRequest(
            f"{found.file} has pyro, but switched off",
            hint=f"pyro mcp connect {host.name} switches it on again.",
        )
    given = entry.get("command")
    words = words_of(given) if isinstance(given, list) else [str(given or ""), *words_of(entry.get("args"))]
    filled = _Filler(around)
    start = Start(
        found.file,
        found.scope.name,
        tuple(filled(word) for word in words),
        {**_passed_on(host, entry, around.variables), **filled.mapping(entry.get("env"))}
        | filled.mapping(entry.get("environment")),
        around.directory / filled(str(entry.get("cwd") or ".")),
    )
    _refuse_missing_program(host, start)
    return start


def _configured(host: ChatHost, wanted: Wanted, around: Surroundings) -> Configuration:
    named = wanted.scope is not None or wanted.config is not None
    scopes = [scope_named(host, wanted.scope, around)] if named else host.scopes(around)
    found = [configuration(host, scope, wanted.config) for scope in scopes]
    with_entry = [each for each in found if each.entry is not None]
    if not with_entry:
        looked = ", ".join(dict.fromkeys(str(each.file) for each in found))
        raise NotFound(
            f"pyro is not configured in {host.title}", details=f"looked into: {looked}", hint=_connect(host)
        )
    return with_entry[0]


def _passed_on(host: ChatHost, entry: JsonObject, variables: Mapping[str, str]) -> dict[str, str]:
    if host.passes_on is None:
        return dict(variables)
    named: Iterable[str] = (*host.passes_on, *words_of(entry.get("env_vars")))
    return {name: variables[name] for name in named if name in variables}


def _refuse_missing_program(host: ChatHost, start: Start) -> None:
    program = start.words[0]
    if not program:
        raise InvalidRequest(f"{start.config} names no command for pyro", hint=_connect(host))
    path = start.variables.get("PATH")
    if shutil.which(str(start.directory / program) if "/" in program else program, path=path) is None:
        raise HostUnfit(
            f"the program that {host.title} would start is not there: {program}",
            details=f"named in {start.config}",
            hint=f"{_connect(host)}: it then names the pyro that runs now.",
        )


def _connect(host: ChatHost) -> str:
    return f"pyro mcp connect {host.name}"


class _Filler:
    """Fills in what the host itself would."""

    def __init__(self, around: Surroundings) -> None:
        places = {"workspaceFolder": str(around.project), "userHome": str(around.home)}
        self._values = {**around.variables, **places}

    def __call__(self, text: str) -> str:
        return _REFERENCE.sub(lambda found: self._values.get(found[1], found[2] or ""), text)

    def mapping(self, value: object) -> dict[str, str]:
        given = value if isinstance(value, dict) else {}
        return {str(name): self(str(text)) for name, text in given.items()}
