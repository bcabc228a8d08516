"""What cannot be done is refused with a sentence, a hint and the contract's exit status, and starts no machine."""

import os
import shutil
from pathlib import Path

import pytest
from tests.ladder import DEBIAN, PyroProgram

from pyro_mcp import HostUnfit, InvalidRequest, LimitReached, NotFound, Pyro, PyroError

_FAILED = 125


@pytest.mark.parametrize(
    ("arguments", "brief", "hint"),
    [
        (("debian:21", "--", "true"), "no environment is called 'debian:21'", "debian:12"),
        (("ubuntu", "--", "true"), "no environment is called 'ubuntu'", "pyro env list"),
        ((DEBIAN, "git", "--version"), "no -- before the command", "pyro run debian:12 -- git --version"),
        ((DEBIAN, "--"), "no command given", "-- COMMAND"),
        ((DEBIAN, "--", ""), "command is empty", "after --"),
        (("--mem-mib", "127", DEBIAN, "--", "true"), "the least is 128", "mem_mib"),
        (("--mem-mib", "1048576", DEBIAN, "--", "true"), "1048576 MiB", "--mem-mib"),
        (("--mem-mib", "99999999999", DEBIAN, "--", "true"), "the most is", "mem_mib"),
        (("--vcpu-count", "0", DEBIAN, "--", "true"), "the least is 1", "vcpu_count"),
        (("--vcpu-count", "4096", DEBIAN, "--", "true"), "the most is 32", "vcpu_count"),
        (("--timeout-seconds", "0", DEBIAN, "--", "true"), "the least is", "timeout_seconds"),
        ((DEBIAN, "--", "echo", "x" * 130_000), "130", "hint"),
    ],
)
def test_on_the_command_line(pyro: PyroProgram, arguments: tuple[str, ...], brief: str, hint: str) -> None:
    done = pyro("run", *arguments)
    said = done.stderr.decode()
    assert (done.returncode, done.stdout) == (_FAILED, b"")
    assert said.startswith("error: ")
    assert brief in said
    assert hint in said.splitlines()[-1]
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("environment", "command", "sizes", "kind"),
    [
        ("debian:21", "true", {}, NotFound),
        (DEBIAN, ["echo", "a\0b"], {}, InvalidRequest),
        (DEBIAN, "echo a\0b", {}, InvalidRequest),
        (DEBIAN, [], {}, InvalidRequest),
        (DEBIAN, "  ", {}, InvalidRequest),
        (DEBIAN, "true", {"mem_mib": 2**20}, LimitReached),
        (DEBIAN, "true", {"mem_mib": -1}, InvalidRequest),
        (DEBIAN, "true", {"vcpu_count": 10**9}, InvalidRequest),
        (DEBIAN, "true", {"timeout_seconds": float("nan")}, InvalidRequest),
        (DEBIAN, "true", {"env": {"A": "\0"}}, InvalidRequest),
    ],
)
def test_in_python(
    home: Path, environment: str, command: str | list[str], sizes: dict[str, int], kind: type[PyroError]
) -> None:
    with pytest.raises(kind) as raised:
        Pyro().run(environment, command, **sizes)  # type: ignore[arg-type]
    assert raised.value.hint


def test_other_commands_have_statuses_of_their_own(pyro: PyroProgram) -> None:
    assert pyro("env", "inspect", "debian:21").returncode == 3
    assert pyro("env", "inspect").returncode == 2


@pytest.fixture
def path_without_qemu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every program of this host but QEMU."""
    place = tmp_path / "bin"
    place.mkdir()
    for folder in os.environ["PATH"].split(":"):
        for program in Path(folder).glob("*"):
            link = place / program.name
            if not program.name.startswith("qemu") and not link.is_symlink():
                link.symlink_to(program)
    monkeypatch.setenv("PATH", str(place))
    assert shutil.which("qemu-system-x86_64") is None


@pytest.mark.usefixtures("path_without_qemu")
def test_without_qemu(pyro: PyroProgram) -> None:
    done = pyro("run", DEBIAN, "--", "true")
    said = done.stderr.decode()
    assert done.returncode == _FAILED
    assert said.startswith("error: QEMU is not installed")
    assert said.splitlines()[-1] == "hint: sudo apt-get install qemu-system-x86 qemu-utils"
    with pytest.raises(HostUnfit):
        Pyro().run(DEBIAN, "true")


def test_hardware_isolation_is_not_pretended(pyro: PyroProgram) -> None:
    done = pyro("run", "--require-isolation", "hardware", DEBIAN, "--", "true")
    if done.returncode == 0:
        assert b"isolation hardware" in done.stderr
    else:
        assert done.returncode == _FAILED
        assert b"hardware isolation is required" in done.stderr


def test_a_home_too_long_for_sockets(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = tmp_path / ("x" * 90)
    long.mkdir()
    (long / "cache").symlink_to(home / "cache")
    monkeypatch.setenv("PYRO_HOME", str(long))
    with pytest.raises(HostUnfit, match="too long a name"):
        Pyro().run(DEBIAN, "true")
