"""The walls as command lines, and whether they are tried rather than guessed."""

import os
from pathlib import Path

import pytest

from pyro_mcp.qemu import confine
from pyro_mcp.qemu.confine import Needs, Walls, reachable_level, try_level, wall_in

NEEDS = Needs(visible=("/usr/bin/qemu",), mem_mib=1024, reopened=(7,), file_bytes=1 << 30)


def test_the_full_walls_as_one_command() -> None:
    assert wall_in(["/usr/bin/qemu", "-x"], Walls("full", uid=5), NEEDS, filter_fd=9) == [
        *("prlimit", f"--as={(1024 + 4096) << 20}", "--nofile=512", "--core=0", f"--fsize={1 << 30}"),
        *("--nproc=128", "--"),
        *(
            "setpriv",
            "--reuid",
            "5",
            "--regid",
            "5",
            "--clear-groups",
            "--no-new-privs",
            "--pdeathsig",
            "KILL",
        ),
        *("bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--as-pid-1"),
        *("--cap-drop", "ALL", "--clearenv", "--ro-bind", "/usr/bin/qemu", "/usr/bin/qemu"),
        *("--dev-bind", "/dev/null", "/dev/null", "--proc", "/proc", "--remount-ro", "/"),
        *("--seccomp", "9", "--", "/usr/bin/qemu", "-x"),
    ]


def test_an_ordinary_user_keeps_the_uid_and_has_no_count_of_processes_taken() -> None:
    command = wall_in(["qemu"], Walls("full"), NEEDS, filter_fd=None)
    assert "--reuid" not in command
    assert not any(argument.startswith("--nproc") for argument in command)


def test_without_namespaces_our_launcher_names_what_may_be_opened() -> None:
    command = wall_in(["qemu"], Walls("partial", uid=5), NEEDS, filter_fd=None)
    launcher = command[command.index("-S") + 1 :]
    assert Path(launcher[0]).name == "shut_in.py"
    assert launcher[1:] == [
        *("--uid", "5", "--read", "/usr/bin/qemu", "--read", "/proc/self/fd/7", "--device", "/dev/null"),
        *("--", "qemu"),
    ]


def test_a_device_of_a_group_comes_with_that_group(tmp_path: Path) -> None:
    device = tmp_path / "kvm"
    device.touch()
    device.chmod(0o660)
    expected = ("--groups", str(device.stat().st_gid)) if device.stat().st_gid else ("--clear-groups",)
    needs = Needs(visible=(), mem_mib=64, devices=(str(device),))
    command = wall_in(["qemu"], Walls("full", uid=5), needs, filter_fd=None)
    assert " ".join(expected) in " ".join(command)
    assert f"--dev-bind {device} {device}" in " ".join(command)


def test_the_level_is_what_was_tried_and_is_tried_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []

    def only_partial(level: confine.Level) -> str | None:
        tried.append(level)
        return None if level == "partial" else "no user namespaces"

    monkeypatch.setattr(confine, "try_level", only_partial)
    assert [reachable_level(tmp_path) for _ in range(2)] == ["partial", "partial"]
    assert tried == ["full", "partial"]


def test_no_wall_that_stands_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confine, "try_level", lambda _: "no")
    assert reachable_level(tmp_path) == "none"


def test_a_missing_program_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    assert try_level("full") == "not installed: prlimit, setpriv, bwrap"
