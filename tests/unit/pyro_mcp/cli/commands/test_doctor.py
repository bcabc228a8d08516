"""`pyro doctor`: the table, the JSON, the exit status, and what --fix asks before it does."""

import json
import subprocess

import pytest
from click.testing import CliRunner

from pyro_mcp.cli.commands import doctor as command
from pyro_mcp.models.doctor import Check, Diagnosis

MISSING = Check(
    name="bwrap",
    health="warn",
    fact="not installed",
    remedy="sudo apt-get install bubblewrap",
    packages=("bubblewrap",),
)
BROKEN = Check(name="qemu", health="fail", fact="QEMU is not installed")
GOOD = Check(name="host", health="pass", fact="Linux\nof some kind")


def diagnosis(*checks: Check) -> Diagnosis:
    fit = all(check.health != "fail" for check in checks)
    return Diagnosis(fit=fit, isolation="emulated", confinement="full", checks=checks)


def told(
    monkeypatch: pytest.MonkeyPatch, found: Diagnosis, *arguments: str, answer: str = ""
) -> tuple[int, str]:
    monkeypatch.setattr(command, "examine", lambda: found)
    monkeypatch.setattr(command, "forget_what_is_known", lambda: None)
    result = CliRunner().invoke(command.doctor, list(arguments), input=answer, standalone_mode=False)
    if isinstance(result.exception, Exception):
        raise result.exception
    return result.return_value, result.output


def test_a_warning_exits_with_zero_and_names_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    status, output = told(monkeypatch, diagnosis(GOOD, MISSING))
    assert status == 0
    assert "warn  bwrap  not installed" in output
    assert "mend it: sudo apt-get install bubblewrap" in output
    assert "Machines can run here (isolation emulated, confinement full)." in output


def test_a_failure_exits_as_host_unfit(monkeypatch: pytest.MonkeyPatch) -> None:
    status, output = told(monkeypatch, diagnosis(GOOD, BROKEN))
    assert status == 5
    assert "Machines cannot run here: qemu." in output


def test_json_is_one_object(monkeypatch: pytest.MonkeyPatch) -> None:
    status, output = told(monkeypatch, diagnosis(MISSING), "--json")
    found = json.loads(output)
    assert (status, found["fit"], found["checks"][0]["packages"]) == (0, True, ["bubblewrap"])


def test_fix_asks_and_a_no_installs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    ran: list[object] = []
    monkeypatch.setattr("subprocess.run", lambda *arguments, **_: ran.append(arguments))
    with pytest.raises(RuntimeError):  # click's Abort
        told(monkeypatch, diagnosis(MISSING), "--fix", answer="n\n")
    assert ran == []


def test_fix_installs_what_is_missing_after_a_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    ran: list[list[str]] = []

    def run(argv: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
        ran.append(argv)
        return subprocess.CompletedProcess(argv, 0)

    monkeypatch.setattr("subprocess.run", run)
    status, _ = told(monkeypatch, diagnosis(MISSING), "--fix", answer="y\n")
    assert status == 0
    assert [argv[-1] for argv in ran] == ["update", "bubblewrap"]


def test_fix_with_nothing_missing_asks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(monkeypatch, diagnosis(GOOD), "--fix")[0] == 0
