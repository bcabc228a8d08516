import inspect

from pyro_mcp import errors
from pyro_mcp.errors import NotFound, PyroError


def test_every_error_has_the_contracts_code_and_exit_status() -> None:
    found = {
        error.code: error.exit_status
        for _, error in inspect.getmembers(errors, inspect.isclass)
        if issubclass(error, PyroError) and error is not PyroError
    }
    assert found == {
        "invalid_request": 2,
        "not_found": 3,
        "conflict": 4,
        "host_unfit": 5,
        "guest_failed": 6,
        "outcome_unknown": 7,
        "policy_denied": 8,
        "limit_reached": 9,
    }


def test_no_error_is_without_a_hint() -> None:
    for _, error in inspect.getmembers(errors, inspect.isclass):
        if issubclass(error, PyroError):
            assert error("no such thing").hint == error.usual_hint
            assert str(error("no such thing")) == f"no such thing\nhint: {error.usual_hint}"


def test_text_has_brief_details_and_hint() -> None:
    assert str(NotFound("no such thing", details="looked here", hint="look there")) == (
        "no such thing\nlooked here\nhint: look there"
    )
