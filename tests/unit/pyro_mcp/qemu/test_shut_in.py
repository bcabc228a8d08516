"""The launcher of `partial` confinement, around a program as small as they come."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from pyro_mcp.qemu import shut_in
from pyro_mcp.qemu.confine import try_level

pytestmark = pytest.mark.skipif(try_level("partial") is not None, reason="no Landlock on this host")


def cat(target: Path, *named: Path) -> "subprocess.CompletedProcess[str]":
    """Show a file behind walls that let `cat`, its libraries and the named files be read."""
    program = Path("/usr/bin/cat").resolve()
    linked = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    readable = [program, *re.findall(r"(/\S+) \(0x", linked), *named]
    options = [word for path in readable for word in ("--read", str(path))]
    command = [sys.executable, "-I", "-S", shut_in.__file__, *options, "--", str(program), str(target)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)


def test_a_named_file_is_read_and_another_is_not(tmp_path: Path) -> None:
    open_one, closed_one = tmp_path / "open", tmp_path / "closed"
    for path in (open_one, closed_one):
        path.write_text("content")
    assert cat(open_one, open_one).stdout == "content"
    refused = cat(closed_one, open_one)
    assert refused.returncode != 0
    assert "Permission denied" in refused.stderr


def test_a_wall_that_cannot_stand_ends_it_before_the_program_runs(tmp_path: Path) -> None:
    failed = cat(tmp_path, tmp_path / "not there")
    assert failed.returncode != 0
    assert "No such file" in failed.stderr
