"""What is said of secrets that cannot be taken, which is never their value."""

from typing import Any, get_args

import pytest

from pyro_mcp.models.secret_arguments import SecretEnv, SecretFiles, SecretValues


def fault(annotation: Any, value: object) -> str | None:
    answer: str | None = get_args(annotation)[1].fault(value)
    return answer


@pytest.mark.parametrize("annotation", [SecretValues, SecretFiles, SecretEnv])
def test_names_are_those_of_variables(annotation: object) -> None:
    assert fault(annotation, {"A_1": "value"}) is None
    for name in ("", "a-b", "1A", "A" * 65, "../A"):
        assert "a secret's name has letters" in (fault(annotation, {name: "value"}) or "")
    assert fault(annotation, "A") == "is not a mapping of secrets' names"


def test_no_fault_shows_a_value() -> None:
    assert fault(SecretValues, {"A": 12345678}) == "has 'A', whose value is no text"
    assert fault(SecretValues, {"A": b"bytes are fine"}) is None
    assert fault(SecretFiles, {"A": ""}) == "has 'A', which is empty or contains a NUL character"


def test_a_variable_has_a_name() -> None:
    for variable in ("", "A=B", "A\0"):
        assert "cannot be a variable's name" in (fault(SecretEnv, {"A": variable}) or "")
