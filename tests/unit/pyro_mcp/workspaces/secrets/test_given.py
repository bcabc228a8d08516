"""What callers give as secrets."""

from pathlib import Path

import pytest

from pyro_mcp.errors import InvalidRequest, LimitReached, PyroError
from pyro_mcp.workspaces.secrets.given import given_secrets


def test_values_and_files_are_one(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"\xffbinary value\n")
    assert given_secrets({"A": "text value"}, {"B": tmp_path / "key"}) == {
        "A": b"text value",
        "B": b"\xffbinary value\n",
    }


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ("", InvalidRequest),
        ("1234567", InvalidRequest),
        (" 1234567 \n", InvalidRequest),
        ("x" * 40_000, LimitReached),
    ],
)
def test_a_value_that_cannot_be_kept_secret_is_refused_and_not_shown(
    value: str, error: type[PyroError]
) -> None:
    with pytest.raises(error, match="secret PIN") as refused:
        given_secrets({"PIN": value}, {})
    assert not value.strip() or value.strip() not in str(refused.value)


def test_a_file_that_is_not_there_is_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="file of the secret KEY"):
        given_secrets({}, {"KEY": tmp_path / "no-such"})


def test_a_name_is_given_once() -> None:
    with pytest.raises(InvalidRequest, match="KEY is given both"):
        given_secrets({"KEY": "long enough"}, {"KEY": "/dev/null"})


def test_there_are_not_too_many() -> None:
    with pytest.raises(LimitReached, match="65 secrets"):
        given_secrets({f"S{number}": "long enough" for number in range(65)}, {})
