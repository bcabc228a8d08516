"""Errors on their way over the wire."""

import pytest

from pyro_mcp import errors
from pyro_mcp.guest.faults import error_from, fault_from
from pyro_wire.faults import CODES, Fault


@pytest.mark.parametrize("code", sorted(CODES))
def test_an_error_survives_the_wire(code: str) -> None:
    error = error_from(Fault(code, "brief", "details", "hint"))
    assert error.code == code
    assert fault_from(error) == Fault(code, "brief", "details", "hint")


def test_a_peer_cannot_name_an_error_that_we_do_not_have() -> None:
    error = error_from(Fault("system_exit", "brief"))
    assert type(error) is errors.GuestFailed
