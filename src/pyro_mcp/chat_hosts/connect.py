"""Write pyro into a chat host's configuration, or take it out: one entry changes, the rest of the file stays."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pyro_mcp.chat_hosts.documents import Unreadable, merge, nested
from pyro_mcp.chat_hosts.finding import (
    Configuration,
    configuration,
    document_of,
    read_text,
    scope_named,
    unreadable,
)
from pyro_mcp.chat_hosts.known import VARIABLES, ChatHost, Launch, Scope, ScopeName, Surroundings
from pyro_mcp.errors import Conflict, HostUnfit
from pyro_mcp.models.encoding import JsonObject


@dataclass(frozen=True)
class Wanted:
    """What a user asks for."""

    profile: str
    scope: ScopeName | None = None
    host_roots: Sequence[str] = ()
    config: Path | None = None


@dataclass(frozen=True)
class Change:
    """What was done, or would be: the entry before and after (None: there is none), and the file's text after."""

    host: str
    scope: ScopeName
    config: Path
    before: JsonObject | None
    after: JsonObject | None
    note: str | None

    @property
    def changed(self) -> bool:
        return self.before != self.after


def connect(host: ChatHost, wanted: Wanted, launcher: Sequence[str], around: Surroundings) -> Change:
    """Make the host start pyro with a profile. A second time changes nothing."""
    found = _found(host, wanted, around)
    before = found.entry
    try:
        merge(
            found.document,
            found.scope.place,
            _entry(host, found.scope, wanted, launcher, around, before),
            owned=_OWNED,
        )
    except Unreadable as why:
        raise unreadable(found.file, why) from None
    _write(found)
    return Change(host.name, found.scope.name, found.file, before, found.entry, found.scope.note)


def disconnect(host: ChatHost, wanted: Wanted, around: Surroundings) -> Change:
    """Take pyro's entry out of a configuration. Where there is none, nothing changes."""
    found = _found(host, wanted, around)
    before = found.entry
    if before is not None:
        found.document.remove(found.scope.place)
        _write(found)
    return Change(host.name, found.scope.name, found.file, before, None, None)


def printed(host: ChatHost, wanted: Wanted, launcher: Sequence[str], around: Surroundings) -> str:
    """The text that a configuration needs, in the host's format; no file is looked at."""
    scope = scope_named(host, wanted.scope, around)
    return rendered(host, nested(scope.place, _entry(host, scope, wanted, launcher, around, None)))


def rendered(host: ChatHost, tree: JsonObject) -> str:
    """A tree of settings in the host's format."""
    document = document_of(host, "")
    for key, value in tree.items():
        document.set((key,), value)
    return document.text.rstrip("\n")


# Written by others' hands, or by an earlier connect; what switches the server off goes with them.
_OWNED = ("env", "disabled")


def _found(host: ChatHost, wanted: Wanted, around: Surroundings) -> Configuration:
    return configuration(host, scope_named(host, wanted.scope, around), wanted.config)


def _entry(
    host: ChatHost,
    scope: Scope,
    wanted: Wanted,
    launcher: Sequence[str],
    around: Surroundings,
    before: JsonObject | None,
) -> JsonObject:
    roots = wanted.host_roots or [root for name, root in host.host_root.items() if name == scope.name]
    options = [word for root in roots for word in ("--host-root", _absolute(root, around))]
    words = (*launcher, "mcp", "serve", "--profile", wanted.profile, *options)
    entry = host.entry(Launch(words, _variables(host, scope, around)))
    if variables := {**_variables_of_others(before), **_mapping(entry.get("env"))}:
        entry["env"] = variables
    if before is not None and before.get("enabled") is False:
        entry["enabled"] = True
    return entry


def _variables(host: ChatHost, scope: Scope, around: Surroundings) -> Mapping[str, str]:
    """A host that keeps its environment to itself is told what matters; not in a file that others share."""
    if host.passes_on is None or scope.shared:
        return {}
    return {name: around.variables[name] for name in VARIABLES if around.variables.get(name)}


def _variables_of_others(before: JsonObject | None) -> JsonObject:
    present = _mapping((before or {}).get("env"))
    return {name: value for name, value in present.items() if name not in VARIABLES}


def _mapping(value: object) -> JsonObject:
    return dict(value) if isinstance(value, dict) else {}


def _absolute(root: str, around: Surroundings) -> str:
    """A host starts its servers where it likes; only what the host itself fills in stays as it is."""
    return root if root.startswith("$") else str((around.directory / Path(root).expanduser()).resolve())


def _write(found: Configuration) -> None:
    """Replace the file in one step, unless somebody else wrote it meanwhile."""
    text = found.document.text
    if text == found.before:
        return
    file = Path(os.path.realpath(found.file))  # people link their configurations to where they keep them
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        _replace(file, text, expected=found.before, fresh_mode=0o644 if found.scope.shared else 0o600)
    except OSError as error:
        raise HostUnfit(
            f"{file} cannot be written", details=str(error), hint="See to its permissions."
        ) from None


def _replace(file: Path, text: str, *, expected: str | None, fresh_mode: int) -> None:
    mode = fresh_mode if expected is None else file.stat().st_mode & 0o7777
    descriptor, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(text.encode())
            stream.flush()
            os.fsync(descriptor)
        Path(temporary).chmod(mode)
        if read_text(file) != expected:
            raise Conflict(f"{file} was changed by another program meanwhile", hint="Try again.")
        Path(temporary).replace(file)
    finally:
        Path(temporary).unlink(missing_ok=True)
