"""Where values are kept."""

import stat
from pathlib import Path

import pytest

from pyro_mcp.errors import HostUnfit
from pyro_mcp.workspaces.secrets.store import SecretStore


def test_only_their_owner_can_read_them(tmp_path: Path) -> None:
    store = SecretStore(tmp_path / "secrets")
    store.put({"A": b"\x00value", "B": b"other"})
    assert store.values(("A", "B")) == {"A": b"\x00value", "B": b"other"}
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "secrets").iterdir()} == {0o600}


def test_a_workspace_without_secrets_has_no_store(tmp_path: Path) -> None:
    SecretStore(tmp_path / "secrets").put({})
    assert list(tmp_path.iterdir()) == []


def test_a_value_that_is_gone_stops_everything(tmp_path: Path) -> None:
    with pytest.raises(HostUnfit, match="cannot be read"):
        SecretStore(tmp_path).values(("A",))
