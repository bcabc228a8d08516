"""Plays a QEMU that its guest has taken over: run in its place, behind the same walls, it tries to get out.

Knows no pyro: the system's Python runs it alone. What is worth reaching stands as JSON in the kernel's arguments; what came
of each try goes to the guest's console, as one JSON object.
"""

import ctypes
import json
import mmap
import os
import re
import resource
import signal
import socket
import struct
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

Aim = Mapping[str, Any]
Thing = TypeVar("Thing")
library = ctypes.CDLL(None, use_errno=True)


class Denied(Exception):
    """The try failed, which is what the walls are for."""


def call(number: int, *arguments: object) -> int:
    """Make a system call by number; the C library must not get in between."""
    result = int(library.syscall(number, *arguments))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def connect(family: int, address: Any, kind: int = socket.SOCK_STREAM) -> str:
    with socket.socket(family, kind) as line:
        line.settimeout(2)
        line.connect(address)
        return f"connected to {address!r}"


def read(path: str) -> str:
    with Path(path).open("rb") as file:
        return f"read {file.read(20)!r}"


def first(things: Iterable[Thing], attempt: Callable[[Thing], object]) -> str:
    """Try all; the first that works is a hole, the last refusal is the answer."""
    refusal: Exception = Denied("nothing to try")
    for thing in things:
        try:
            return f"{thing}: {attempt(thing)}"
        except (OSError, Denied) as error:
            refusal = error
    raise refusal


def create(path: str) -> str:
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
    Path(path).unlink()
    return "created"


def overwrite(path: str) -> str:
    """Write to a file through a path; at its very end, so that only success changes it."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.pwrite(descriptor, b"taken over", os.fstat(descriptor).st_size - 10)
        return "written"
    finally:
        os.close(descriptor)


def own_descriptors() -> dict[int, str]:
    found = {}
    for number in range(512):  # not a listing: some walls deny that
        try:
            found[number] = str(Path(f"/proc/self/fd/{number}").readlink())
        except OSError:
            continue
    return found


def reopen_shared(shared: list[str]) -> str:
    """Open what was handed over for reading once more, for writing."""
    numbers = [n for n, path in own_descriptors().items() if any(path.startswith(name) for name in shared)]
    return first([f"/proc/self/fd/{number}" for number in numbers], overwrite)


def permit_then_reopen(shared: list[str]) -> str:
    numbers = [n for n, path in own_descriptors().items() if any(path.startswith(name) for name in shared)]

    def attempt(number: int) -> str:
        os.fchmod(number, 0o666)
        return overwrite(f"/proc/self/fd/{number}")

    return first(numbers, attempt)


def memory_descriptors() -> list[int]:
    return [number for number, path in own_descriptors().items() if path.startswith("/memfd:pyro-")]


def write_memory(number: int) -> str:
    os.pwrite(number, b"taken over", 0)
    return "written"


def map_memory(number: int) -> str:
    with mmap.mmap(number, 4096, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE) as view:
        view[:10] = b"taken over"
    return "mapped for writing"


def stop_process(pid: int) -> str:
    os.kill(pid, 0)
    return "may be signalled"


def new_process() -> str:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    return "forked"


def new_namespace_by_clone() -> str:
    pid = call(56, 0x10000000 | signal.SIGCHLD, 0, 0, 0, 0)
    if pid == 0:
        os._exit(0)
    return "cloned into a user namespace"


def run_shell() -> None:
    os.execve("/bin/sh", ["sh", "-c", "true"], {})


def become_root() -> str:
    os.setresuid(0, 0, 0)
    if os.getuid() == 0 and int(status("CapEff"), 16):
        return "root again"
    raise Denied("uid 0 of nothing")


def status(name: str) -> str:
    text = Path("/proc/self/status").read_text()
    found = re.search(rf"^{name}:\s*(\S+)", text, re.M)
    assert found, name
    return found[1]


def have_power() -> None:
    if int(status("CapEff"), 16) or status("NoNewPrivs") != "1" or status("Seccomp") != "2":
        raise AssertionError(f"capabilities {status('CapEff')}, seccomp {status('Seccomp')}")
    raise Denied("no capability, no new privileges, filtered")


def much_memory() -> str:
    mmap.mmap(-1, 64 << 30)
    return "64 GiB mapped"


def many_files() -> str:
    made: list[int] = []
    try:
        while len(made) < 4096:
            made.append(os.dup(0))
        return "4096 descriptors"
    finally:
        for descriptor in made:
            os.close(descriptor)


def more_room() -> str:
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    if hard == resource.RLIM_INFINITY:
        return "address space without bound"
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    return "limit lifted"


def endless_file(path: str) -> str:
    numbers = [number for number, name in own_descriptors().items() if name.startswith(path)]
    if not numbers:
        raise AssertionError("the machine's own disk was not handed over")
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    os.pwrite(numbers[0], b"x", 1 << 40)
    return "a terabyte"


def attacks(aim: Aim) -> dict[str, Callable[[], object]]:
    """Every try by its name. One that returns has found a hole."""
    pid = aim["process"]
    shm = aim["shared_memory_key"]
    return {
        "loopback": lambda: connect(socket.AF_INET, ("127.0.0.1", aim["port"])),
        "internet": lambda: connect(socket.AF_INET, ("1.1.1.1", 53)),
        "datagrams": lambda: connect(socket.AF_INET, ("127.0.0.1", aim["port"]), socket.SOCK_DGRAM),
        "abstract socket": lambda: connect(socket.AF_UNIX, "\0" + aim["abstract"]),
        "a keeper's socket": lambda: connect(socket.AF_UNIX, aim["socket"]),
        "netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) and "made",
        "a file in the home directory": lambda: read(aim["secret"]),
        "the home directory": lambda: f"listed {list(Path(aim['home']).iterdir())}",
        "through the parent's root": lambda: read(f"/proc/{pid}/root{aim['secret']}"),
        "another machine's disk": lambda: overwrite(aim["other_disk"]),
        "system files": lambda: first(["/etc/passwd", "/etc/hostname", "/etc/machine-id"], read),
        "write the shared image": lambda: reopen_shared(aim["shared"]),
        "permit writing the shared image": lambda: permit_then_reopen(aim["shared"]),
        "write the template's memory": lambda: first(memory_descriptors(), write_memory),
        "map the template's memory": lambda: first(memory_descriptors(), map_memory),
        "cut the template's memory": lambda: first(memory_descriptors(), lambda n: os.ftruncate(n, 0)),
        "reopen the template's memory": lambda: first(
            [f"/proc/self/fd/{number}" for number in memory_descriptors()], overwrite
        ),
        "write somewhere": lambda: first(
            [
                f"{place}/pyro-player"
                for place in ("", "/tmp", "/var/tmp", "/run", "/dev", "/dev/shm", aim["home"], ".")
            ],
            create,
        ),
        "signal": lambda: stop_process(pid),
        "signal a thread": lambda: call(234, pid, pid, 0),
        "signal all": lambda: os.kill(-1, 0),
        "trace": lambda: call(101, 16, pid, 0, 0),
        "read another's memory": lambda: read(f"/proc/{pid}/mem"),
        "another's descriptors": lambda: str(list(Path(f"/proc/{pid}/fd").iterdir())),
        "copy another's memory": lambda: call(310, pid, 0, 0, 0, 0, 0),
        "hold another": lambda: call(434, pid, 0),
        "bind another": lambda: resource.prlimit(pid, resource.RLIMIT_NOFILE),
        "slow another": lambda: os.setpriority(os.PRIO_PROCESS, pid, 19),
        "shared memory": lambda: call(29, shm, 0, 0),
        "messages": lambda: call(68, shm, 0o1666),
        "memory files": lambda: call(319, b"player", 0),
        "message queue": lambda: call(240, b"pyro-player", os.O_CREAT | os.O_RDWR, 0o600, 0),
        "io_uring": lambda: call(425, 4, ctypes.create_string_buffer(120)),
        "new namespaces": lambda: call(272, 0x10000000),
        "new namespaces by clone": new_namespace_by_clone,
        "new namespaces by clone3": lambda: call(
            435, struct.pack("=8Q", 0x10000000, *[0] * 3, 17, 0, 0, 0), 64
        ),
        "mount": lambda: call(165, b"none", b"/proc", b"tmpfs", 0, None),
        "mount by descriptor": lambda: call(428, -100, b"/", 1),
        "load a program into the kernel": lambda: call(321, 0, ctypes.create_string_buffer(72), 72),
        "watch the kernel": lambda: call(298, ctypes.create_string_buffer(120), 0, -1, -1, 0),
        "page faults": lambda: call(323, 0),
        "keys": lambda: call(250, 0, -3, 1),
        "a new process": new_process,
        "a shell": run_shell,
        "root": become_root,
        "capabilities": have_power,
        "memory without end": much_memory,
        "descriptors without end": many_files,
        "looser limits": more_room,
        "a file without end": lambda: endless_file(aim["own_disk"]),
    }


def outcome(attempt: Callable[[], object]) -> str:
    try:
        return f"HOLE: {attempt()}"
    except AssertionError as error:
        return f"HOLE: {error}"
    except (OSError, Denied, ValueError) as error:
        return f"denied: {error}"
    except MemoryError:
        return "denied: no memory"


def descriptor(kind: str) -> int:
    text = next(argument for argument in sys.argv if f"id={kind}," in argument)
    return int(text.split("fd=")[1].split(",")[0])


def greet(monitor: socket.socket) -> None:
    """Say what QEMU's monitor says first."""
    monitor.sendall(b'{"QMP": {}}\n')
    monitor.recv(4096)
    monitor.sendall(b'{"return": {}}\n')


def main() -> None:
    greet(socket.socket(fileno=descriptor("monitor")))
    console = socket.socket(fileno=descriptor("console"))
    aim = json.loads(sys.argv[sys.argv.index("-append") + 1])
    held = own_descriptors()
    report = {"held": held, "tries": {name: outcome(attempt) for name, attempt in attacks(aim).items()}}
    console.sendall(json.dumps(report).encode())
    console.shutdown(socket.SHUT_WR)


main()
