"""The filter, laid on a real process: the kernel judges whether the program is right."""

import struct
import subprocess
import sys

import pytest

from pyro_mcp.qemu.syscalls import DENIED, own_process_filter, system_call_filter

# Lays the program read from standard input on itself, then runs the argument: only what is allowed comes back.
_LAY = """
import ctypes, os, sys
code = sys.stdin.buffer.read()
library = ctypes.CDLL(None, use_errno=True)
class Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))
assert library.prctl(38, 1, 0, 0, 0) == 0
assert library.prctl(22, 2, ctypes.byref(Program(len(code) // 8, code)), 0, 0) == 0
def call(*arguments):
    return 0 if library.syscall(*arguments) >= 0 else ctypes.get_errno()
"""


def behind(program: bytes, action: str) -> str:
    done = subprocess.run(
        [sys.executable, "-IS", "-c", _LAY + action],
        input=program,
        capture_output=True,
        check=False,
        timeout=20,
    )
    return done.stdout.decode().strip() or f"status {done.returncode}"


@pytest.mark.parametrize("number", [41, 57, 62, 101, 165, 272, 319, 425])
def test_what_is_denied_fails_with_eperm(number: int) -> None:
    assert behind(system_call_filter(), f"print(call({number}, -1, 0, 0, 0, 0))") == "1"


def test_threads_go_on_and_processes_do_not() -> None:
    action = "import threading; t = threading.Thread(target=print, args=('ran',)); t.start(); t.join()"
    assert behind(system_call_filter(), action) == "ran"
    assert behind(system_call_filter(), "print(call(56, 17, 0, 0, 0, 0))") == "1"
    assert behind(system_call_filter(), "print(call(435, 0, 0))") == "38"


def test_calls_of_the_32_bit_kind_kill() -> None:
    assert behind(system_call_filter(), f"print(call({0x40000000 + 39}))") == "status -31"


def test_signals_and_limits_stay_with_the_process() -> None:
    # Laid by the process that it names, as the launcher does.
    action = (
        "me, other = os.getpid(), os.getppid()\n"
        "print(call(234, me, me, 0), call(234, other, other, 0), call(302, 0, 7, 0, 0), call(302, other, 7, 0, 0))"
    )
    names_itself = _LAY.replace(
        "sys.stdin.buffer.read()",
        "bytes.fromhex(sys.argv[1]).replace(b'PID!', os.getpid().to_bytes(4, 'little'))",
    )
    program = own_process_filter(int.from_bytes(b"PID!", "little")).hex()
    done = subprocess.run(
        [sys.executable, "-IS", "-c", names_itself + action, program],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["0", "1", "0", "1"]


def test_every_number_is_denied_once_and_the_program_fits_the_kernel() -> None:
    assert len(set(DENIED.values())) == len(DENIED)
    assert len(system_call_filter()) % struct.calcsize("=HBBI") == 0
    assert len(system_call_filter()) // 8 < 4096
