"""Read a chat host's configuration: which files it has, and what stands in them about pyro."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pyro_mcp.chat_hosts.documents import Document, Unreadable
from pyro_mcp.chat_hosts.known import ChatHost, Scope, ScopeName, Surroundings
from pyro_mcp.errors import HostUnfit, InvalidRequest
from pyro_mcp.models.encoding import JsonObject


@dataclass(frozen=True)
class Configuration:
    """A file as it was read; `before` is None where there is none yet."""

    file: Path
    before: str | None
    document: Document
    scope: Scope

    @property
    def entry(self) -> JsonObject | None:
        """What the file says of pyro."""
        found = self.document.get(self.scope.place)
        if found is not None and not isinstance(found, dict):
            raise unreadable(self.file, Unreadable(f"{'.'.join(self.scope.place)} is no table"))
        return found


def surroundings(variables: Mapping[str, str], home: Path, directory: Path) -> Surroundings:
    """Find the project that a directory is in."""
    above = (directory, *directory.parents)
    project = next((found for found in above if (found / ".git").exists()), directory)
    return Surroundings(home, directory, project, variables)


def configuration(host: ChatHost, scope: Scope, given: Path | None) -> Configuration:
    """Read the file of a scope, or the one that the user gives instead. One that is not there reads as empty."""
    files = scope.files if given is None else (given,)
    if not files:
        raise InvalidRequest(
            "where a generic host has its configuration is not known",
            hint="Give the file with --config FILE, or --print what belongs into it.",
        )
    present = [_read(host, scope, file) for file in files if file.exists()]
    with_entry = [found for found in present if found.entry is not None]
    return next(iter([*with_entry, *present]), None) or _read(host, scope, files[0])


def scope_named(host: ChatHost, name: ScopeName | None, around: Surroundings) -> Scope:
    """Find a scope of a host. Raises InvalidRequest."""
    scopes = {scope.name: scope for scope in host.scopes(around)}
    wanted = name or host.default_scope
    if wanted not in scopes:
        raise InvalidRequest(
            f"{host.title} has no configuration of scope {wanted}", hint=f"It has: {', '.join(scopes)}."
        )
    return scopes[wanted]


def document_of(host: ChatHost, text: str) -> Document:
    """Read a text in the host's format. Raises Unreadable."""
    if host.format == "toml":
        from pyro_mcp.chat_hosts.toml_document import TomlDocument

        return TomlDocument(text)
    from pyro_mcp.chat_hosts.json_document import JsonDocument

    return JsonDocument(text, comments=host.format == "jsonc")


def read_text(file: Path) -> str | None:
    """The file as text, line endings as they are; None where there is none."""
    try:
        return file.read_bytes().decode()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise unreadable(file, Unreadable(f"it is not UTF-8: {error}")) from None
    except OSError as error:
        raise HostUnfit(
            f"{file} cannot be read", details=str(error), hint="See to its permissions."
        ) from None


def unreadable(file: Path, why: Unreadable) -> InvalidRequest:
    """The error for a configuration that makes no sense: it is never overwritten."""
    return InvalidRequest(
        f"{file} cannot be understood, so it stays as it is",
        details=str(why),
        hint="Mend it and try again; --print shows what to add by hand.",
    )


def words_of(value: object) -> Sequence[str]:
    """A list of words in an entry; anything else is none."""
    return [str(word) for word in value] if isinstance(value, list) else []


def _read(host: ChatHost, scope: Scope, file: Path) -> Configuration:
    before = read_text(file)
    try:
        document = document_of(host, before or "")
    except Unreadable as why:
        raise unreadable(file, why) from None
    return Configuration(file, before, document, scope)
