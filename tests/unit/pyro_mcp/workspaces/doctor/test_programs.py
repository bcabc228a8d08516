"""Which programs are here, and what brings the others."""

from pathlib import Path

import pytest

from pyro_mcp.workspaces.doctor.programs import Tool, check_qemu, check_tool, check_tools


def test_a_tool_that_is_here_passes(tmp_path: Path) -> None:
    there = tmp_path / "keyring.gpg"
    there.touch()
    assert check_tool(Tool(str(there), "keyring", "verifies")).health == "pass"


def test_a_missing_one_names_its_package_and_the_command() -> None:
    check = check_tool(Tool("pyro-no-such-tool", "some-package", "makes disks"))
    assert (check.health, check.packages) == ("fail", ("some-package",))
    assert check.remedy == "sudo apt-get install some-package"
    assert "makes disks" in check.fact


def test_what_only_builds_environments_is_a_warning() -> None:
    assert check_tool(Tool("/no/such/keyring.gpg", "keyring", "verifies", "warn")).health == "warn"


def test_uidmap_matters_to_ordinary_users_only(monkeypatch: pytest.MonkeyPatch) -> None:
    for uid, asked in ((0, False), (1000, True)):
        monkeypatch.setattr("os.geteuid", lambda uid=uid: uid)
        assert any(check.name == "newuidmap" for check in check_tools()) is asked


def test_no_qemu_fails_with_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    check, install = check_qemu(tmp_path)
    assert install is None
    assert (check.health, check.packages) == ("fail", ("qemu-system-x86",))
