"""Turn a fault that came over the wire into the error a caller meets, and back."""

from __future__ import annotations

from pyro_mcp import errors
from pyro_wire.faults import Fault

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


def error_from(fault: Fault) -> errors.PyroError:
    """Give the typed error that a fault stands for."""
    kind = _ERRORS.get(fault.code, errors.GuestFailed)
    return kind(fault.brief, details=fault.details, hint=fault.hint)


def fault_from(error: errors.PyroError) -> Fault:
    """Give the fault that carries an error over the wire."""
    return Fault(error.code, error.brief, error.details, error.hint)
