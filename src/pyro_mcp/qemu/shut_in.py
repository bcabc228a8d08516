"""Shut this process in with Landlock and a system call filter, then become QEMU: `partial` confinement.

Run as `python -I -S …/shut_in.py [--uid N] [--group N] [--read PATH] [--device PATH] -- COMMAND…`. For hosts where nobody
may make a user namespace. What is not named cannot be opened; what is inherited stays open.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import signal
import struct
import sys
from pathlib import Path

# Started without site-packages: our own packages lie beside each other.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from pyro_mcp.qemu.syscalls import own_process_filter, system_call_filter

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_FLAG, _PATH_BENEATH = 1, 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
# How many rights over files each version of Landlock knows, from the first on; version 5's last, ioctl on devices, is left
# alone, for KVM is driven by it.
_RIGHTS_BY_VERSION = (13, 14, 15, 15)
_NET_BIND_AND_CONNECT_TCP = 0b11
_SCOPE_ABSTRACT_SOCKETS_AND_SIGNALS = 0b11

_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 22, 38
_FILTER_MODE = 2

_library = ctypes.CDLL(None, use_errno=True)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def main() -> None:
    """Lay the walls one after the other; any that does not stand ends this process before QEMU runs."""
    wanted = _arguments()
    parent = os.getppid()
    ruleset = _ruleset(wanted.read, wanted.device)
    if wanted.uid is not None:
        os.setgroups(wanted.group)
        os.setresgid(wanted.uid, wanted.uid, wanted.uid)
        os.setresuid(wanted.uid, wanted.uid, wanted.uid)
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # after the change of uid, which clears it
    if os.getppid() != parent:
        sys.exit("whoever started this machine is gone")
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _check(_library.syscall(_RESTRICT_SELF, ruleset, 0))
    os.close(ruleset)
    for program in (own_process_filter(os.getpid()), system_call_filter()):
        _lay(program)
    os.execve(wanted.command[0], wanted.command, {})


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--uid", type=int)
    parser.add_argument("--group", type=int, action="append", default=[])
    parser.add_argument("--read", action="append", default=[])
    parser.add_argument("--device", action="append", default=[])
    parser.add_argument("command", nargs="+")
    return parser.parse_args()


def _ruleset(readable: list[str], devices: list[str]) -> int:
    version = _check(_library.syscall(_CREATE_RULESET, None, 0, _VERSION_FLAG))
    files = (1 << _RIGHTS_BY_VERSION[min(version, len(_RIGHTS_BY_VERSION)) - 1]) - 1
    handled = [files]
    if version >= 4:
        handled.append(_NET_BIND_AND_CONNECT_TCP)
    if version >= 6:
        handled.append(_SCOPE_ABSTRACT_SOCKETS_AND_SIGNALS)
    attributes = struct.pack(f"={len(handled)}Q", *handled)
    ruleset = _check(_library.syscall(_CREATE_RULESET, attributes, len(attributes), 0))
    os.set_inheritable(ruleset, False)
    for path in readable:
        _allow(ruleset, path, _READ_FILE | _EXECUTE)
    for path in devices:
        _allow(ruleset, path, _READ_FILE | _WRITE_FILE)
    return ruleset


def _allow(ruleset: int, path: str, rights: int) -> None:
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        whole = rights | (_READ_DIR if Path(path).is_dir() else 0)
        rule = struct.pack("=Qi", whole, descriptor)
        _check(_library.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0))
    finally:
        os.close(descriptor)


def _lay(program: bytes) -> None:
    filled = _Program(len(program) // 8, program)
    _check(_library.prctl(_PR_SET_SECCOMP, _FILTER_MODE, ctypes.byref(filled), 0, 0))


def _prctl(option: int, value: int) -> None:
    _check(_library.prctl(option, ctypes.c_ulong(value), 0, 0, 0))


def _check(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


if __name__ == "__main__":
    main()
