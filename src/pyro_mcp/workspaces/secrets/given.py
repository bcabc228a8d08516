"""Read the secrets that a caller gives: values as they are, and files of the host."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pyro_mcp.errors import InvalidRequest, LimitReached

# A shorter value stands in ordinary text by chance, and redacting it would leave nothing to read.
LEAST_BYTES = 8
# Travels to the guest in one message, in base64. A key or a kubeconfig has a tenth of it.
_MOST_BYTES = 32 * 1024
_MOST_SECRETS = 64


def given_secrets(
    values: Mapping[str, str | bytes], files: Mapping[str, str | os.PathLike[str]]
) -> dict[str, bytes]:
    """Give every secret's value. Raises InvalidRequest, which never shows one, when a value or a file cannot be used."""
    twice = sorted(set(values) & set(files))
    if twice:
        raise InvalidRequest(f"the secret {twice[0]} is given both as a value and as a file")
    found = {name: _bytes(name, value) for name, value in values.items()}
    found |= {name: _read(name, Path(path)) for name, path in files.items()}
    if len(found) > _MOST_SECRETS:
        raise LimitReached(f"{len(found)} secrets are too many; a workspace takes {_MOST_SECRETS}")
    for name, value in found.items():
        _check(name, value)
    return found


def _bytes(name: str, value: str | bytes) -> bytes:
    """Give a value as bytes: one from a variable of ours may be no UTF-8."""
    try:
        return value.encode(errors="surrogateescape") if isinstance(value, str) else bytes(value)
    except UnicodeEncodeError:
        raise InvalidRequest(
            f"the secret {name} has half of a surrogate pair", hint="Give bytes, or a file."
        ) from None


def _read(name: str, path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise InvalidRequest(
            f"the file of the secret {name} cannot be read",
            details=f"{path}: {error.strerror}",
            hint="Name a file on this host that holds the value.",
        ) from error


def _check(name: str, value: bytes) -> None:
    if len(value) > _MOST_BYTES:
        raise LimitReached(f"the secret {name} has more than {_MOST_BYTES} bytes")
    if len(value.strip()) < LEAST_BYTES:
        raise InvalidRequest(
            f"the value of the secret {name} has fewer than {LEAST_BYTES} bytes",
            details="So short a value stands in ordinary text, too: nothing could be shown without hiding some of that.",
            hint="Take a longer value, or give it as a plain variable (env) if everybody may know it.",
        )
