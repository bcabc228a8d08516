"""Turn a fault that came over the wire into the error a caller meets, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyro_mcp import errors
from pyro_wire.faults import Fault

if TYPE_CHECKING:
    from pyro_mcp.redaction import Redactor

# What a peer may name is this table; anything else counts as its own failure.
_ERRORS: dict[str, type[errors.PyroError]] = {
    kind.code: kind
    for kind in (
        errors.InvalidRequest,
        errors.NotFound,
        errors.Conflict,
        errors.HostUnfit,
        errors.GuestFailed,
        errors.OutcomeUnknown,
        errors.PolicyDenied,
        errors.LimitReached,
    )
}


# What a guest says ends up on terminals and in models' contexts: no control characters but line ends and tabs.
_PLAIN = {**dict.fromkeys([*range(32), *range(127, 160)], "\ufffd"), 9: "\t", 10: "\n", 13: ""}


def error_from(fault: Fault) -> errors.PyroError:
    """Give the typed error that a fault stands for."""
    kind = _ERRORS.get(fault.code, errors.GuestFailed)
    return kind(_plain(fault.brief), details=_plain_or_none(fault.details), hint=_plain_or_none(fault.hint))


def _plain(text: str) -> str:
    return text.translate(_PLAIN)


def _plain_or_none(text: str | None) -> str | None:
    return None if text is None else _plain(text)


def fault_from(error: errors.PyroError) -> Fault:
    """Give the fault that carries an error over the wire."""
    return Fault(error.code, error.brief, error.details, error.hint)


def redacted_fault(fault: Fault, redactor: Redactor) -> Fault:
    """Give a fault without secrets: it may tell what the command was."""

    def clean(text: str | None) -> str | None:
        return None if text is None else redactor.text(text)

    return Fault(fault.code, redactor.text(fault.brief), clean(fault.details), clean(fault.hint))
