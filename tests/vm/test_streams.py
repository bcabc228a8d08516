"""`pyro run` as a pipe: streams, statuses, and every byte in its place."""

import hashlib
import json
import os
import subprocess
from pathlib import Path

import pytest
from tests.ladder import DEBIAN, PyroProgram
from tests.remains import keeper_of, processes_of

from pyro_mcp.host.waiting import wait_until

_MIB = 1 << 20


def test_a_run_sees_a_copy_of_a_project_and_changes_none_of_it(pyro: PyroProgram, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one\n")
    (tmp_path / ".env").write_text("TOKEN=x\n")
    done = pyro("run", "--seed-path", str(tmp_path), DEBIAN, "--", "sh", "-c", "pwd; ls -A; echo two > a")
    assert (done.returncode, done.stdout) == (0, b"/workspace\na\n")
    assert b"withheld: .env" in done.stderr
    assert (tmp_path / "a").read_text() == "one\n"
    assert pyro("run", "--seed-path", str(tmp_path / "none"), DEBIAN, "--", "true").returncode == 125


def test_git_answers_from_a_machine(pyro: PyroProgram) -> None:
    done = pyro("run", DEBIAN, "--", "git", "--version")
    assert done.returncode == 0
    assert done.stdout.startswith(b"git version 2.")
    summary = done.stderr.decode().splitlines()[-1]
    assert summary.startswith("pyro: exit status 0 after ")
    assert "isolation " in summary
    assert "confinement " in summary


def test_streams_stay_apart_and_the_status_is_the_commands(pyro: PyroProgram) -> None:
    done = pyro("run", "-q", DEBIAN, "--", "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (done.returncode, done.stdout, done.stderr) == (7, b"out\n", b"err\n")


@pytest.mark.parametrize("number", [9, 15, 11])
def test_a_signals_status_is_128_and_its_number(pyro: PyroProgram, number: int) -> None:
    done = pyro("run", DEBIAN, "--", "sh", "-c", f"kill -{number} $$")
    assert done.returncode == 128 + number
    assert f"ended by signal {number}" in done.stderr.decode()


def test_input_is_passed_through(pyro: PyroProgram) -> None:
    assert pyro("run", DEBIAN, "--", "wc", "-c", stdin=b"abc").stdout.strip() == b"3"


def test_a_command_that_reads_no_input_ends_all_the_same(pyro: PyroProgram) -> None:
    done = pyro("run", DEBIAN, "--", "head", "-c", "5", stdin=b"12345" + bytes(3 * _MIB))
    assert (done.returncode, done.stdout) == (0, b"12345")


def test_every_byte_comes_back_as_it_went_in(pyro: PyroProgram) -> None:
    data = bytes(range(256)) * 4096 + b"\r\n\x00\xff\xfe no newline at the end"
    done = pyro("run", "-q", DEBIAN, "--", "cat", stdin=data)
    assert done.returncode == 0
    assert done.stdout == data


def test_a_missing_program_is_127_and_says_so(pyro: PyroProgram) -> None:
    done = pyro("run", "-q", DEBIAN, "--", "no-such-program")
    assert done.returncode == 127
    assert b"no-such-program: command not found" in done.stderr


def test_json_is_one_object_with_both_streams(pyro: PyroProgram) -> None:
    done = pyro("run", "--json", DEBIAN, "-e", "WHO=world", "--", "sh", "-c", "echo hello $WHO; exit 3")
    answer = json.loads(done.stdout)
    assert done.returncode == answer["exit_code"] == 3
    assert (answer["outcome"], answer["stdout"], answer["stderr"]) == ("finished", "hello world\n", "")


# Numbered blocks: a lost, doubled or displaced one changes the hash.
_NUMBERED = """
import os, sys
filler = bytes(range(256)) * 256
for number in range(3200):
    sys.stdout.buffer.write(number.to_bytes(8, "big") + filler[8:])
sys.stdout.flush()
os.close(1)
sys.stdin.read()
"""


@pytest.mark.timeout(120)
def test_200_mb_arrive_whole_in_order_and_in_bounded_memory(pyro: PyroProgram, home: Path) -> None:
    expected, filler = hashlib.sha256(), bytes(range(256)) * 256
    for number in range(3200):
        expected.update(number.to_bytes(8, "big") + filler[8:])
    # The command waits for the end of its input: both processes are looked at while all 200 MB have gone through them.
    process = pyro.start("run", "-q", DEBIAN, "--", "python3", "-c", _NUMBERED)
    assert process.stdout is not None
    received, size = hashlib.sha256(), 0
    with process:
        _wait_until_it_is_stalled(process)
        while size < 3200 * 65536 and (block := os.read(process.stdout.fileno(), _MIB)):
            received.update(block)
            size += len(block)
        keeper = keeper_of(home)
        client = next(found for found in processes_of(home) if found.pid == process.pid)
        assert keeper is not None
        peaks = {"pyro": client.peak_mib(), "keeper": keeper.peak_mib()}
        rest, said = process.communicate()
    assert (size, rest, said, process.returncode) == (3200 * 65536, b"", b"", 0)
    assert received.hexdigest() == expected.hexdigest()
    assert peaks["pyro"] < 96, peaks
    assert peaks["keeper"] < 64, peaks


def _wait_until_it_is_stalled(process: "subprocess.Popen[bytes]") -> None:
    """Until pyro cannot write, because we do not read: whatever piles up, piles up now."""
    wait_until(
        lambda: "pipe_write" in Path(f"/proc/{process.pid}/wchan").read_text(),
        what="pyro to fill the pipe",
        timeout=30,
    )
