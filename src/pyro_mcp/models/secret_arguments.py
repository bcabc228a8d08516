"""What callers pass in about secrets, described once (see arguments.py). No fault ever shows what may be a value."""

import os
import re
from collections.abc import Mapping
from typing import Annotated

from pyro_mcp.models.arguments import Argument
from pyro_mcp.models.workspace_arguments import path_fault

# As a variable's and a file's: it is both.
_SECRET_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


def _secret_names_fault(value: object) -> str | None:
    if not isinstance(value, Mapping):
        return "is not a mapping of secrets' names"
    for name in value:
        if not isinstance(name, str) or not _SECRET_NAME.fullmatch(name):
            return f"has {str(name)[:80]!r}: a secret's name has letters, digits and _, as a variable's"
    return None


def _secret_values_fault(value: object) -> str | None:
    fault = _secret_names_fault(value)
    if fault is None and isinstance(value, Mapping):
        wrong = [name for name, item in value.items() if not isinstance(item, str | bytes)]
        return f"has {wrong[0]!r}, whose value is no text" if wrong else None
    return fault


def _secret_files_fault(value: object) -> str | None:
    fault = _secret_names_fault(value)
    if fault is None and isinstance(value, Mapping):
        return next(
            (f"has {name!r}, which {wrong}" for name, item in value.items() if (wrong := path_fault(item))),
            None,
        )
    return fault


def _secret_env_fault(value: object) -> str | None:
    fault = _secret_names_fault(value)
    if fault is None and isinstance(value, Mapping):
        return next(
            (
                f"has {item!r}, which cannot be a variable's name"
                for item in value.values()
                if not _is_variable(item)
            ),
            None,
        )
    return fault


def _is_variable(name: object) -> bool:
    return isinstance(name, str) and bool(name) and not set(name) & {"=", "\0"}


SecretValues = Annotated[
    Mapping[str, str | bytes],
    Argument(
        text="Secrets by name: files in /run/pyro-secrets, and variables where secret_env says so.",
        wire=Mapping[str, str],
        also=_secret_values_fault,
    ),
]
SecretFiles = Annotated[
    Mapping[str, str | os.PathLike[str]],
    Argument(
        text="The same from files of the host.",
        wire=Mapping[str, str],
        also=_secret_files_fault,
        host_path=True,
    ),
]
SecretEnv = Annotated[
    Mapping[str, str],
    Argument(text="Secrets to have as variables: NAME to VARIABLE.", also=_secret_env_fault),
]
WithSecrets = Annotated[bool, Argument(text="Copy its secrets, too.")]
