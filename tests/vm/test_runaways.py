"""Commands that try not to end: each ends at its time limit, with all it started gone and what it said kept.

"All it started" is proved by a port: every program below listens on one and hands the socket to its children, so the port
is free again only when the last of them is dead.
"""

import pytest
from tests.ladder import DEBIAN, Guest, PyroProgram

_PORT = 4000
_LISTEN = f"""
import os, signal, socket, sys, time
held = socket.create_server(("127.0.0.1", {_PORT}))
held.set_inheritable(True)
print("started", flush=True)
"""
_FORK_BOMB = """
while True:
    try:
        os.fork()
    except OSError:
        pass
"""
# The hog itself is killed when memory is out; what keeps starting it is not.
_MEMORY_HOG = """
while True:
    if os.fork() == 0:
        hoard = []
        while True:
            hoard.append(bytearray(os.urandom(4096) * 4096))
    os.wait()
"""
_DEAF = """
for number in range(1, 65):
    if number not in (9, 19, 32, 33):
        signal.signal(number, signal.SIG_IGN)
while True:
    time.sleep(100)
"""
_MUTE = """
os.close(1)
os.close(2)
time.sleep(1000)
"""
_DAEMON = """
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        null = os.open("/dev/null", os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(null, number)
    time.sleep(1000)
time.sleep(1000)
"""
_RUNAWAYS = {
    "a fork bomb": _FORK_BOMB,
    "a memory hog": _MEMORY_HOG,
    "deaf to every signal": _DEAF,
    "mute": _MUTE,
    "a daemon": _DAEMON,
}
every_runaway = pytest.mark.parametrize("program", _RUNAWAYS.values(), ids=_RUNAWAYS.keys())


@every_runaway
def test_it_ends_at_the_time_limit_and_its_machine_with_it(pyro: PyroProgram, program: str) -> None:
    done = pyro("run", "--timeout-seconds", "2", DEBIAN, "--", "python3", "-c", _LISTEN + program)
    assert done.returncode == 124
    assert done.stdout == b"started\n"
    assert "stopped at its time limit after 2." in done.stderr.decode()


@every_runaway
def test_nothing_of_it_lives_on_in_a_machine_that_does(guest: Guest, program: str) -> None:
    answer, said = guest.run("python3", "-c", _LISTEN + program, timeout=2)
    assert (answer["timed_out"], said) == (True, b"started\n")
    answer, said = guest.run("python3", "-c", _LISTEN)
    assert (answer["exit_code"], said) == (0, b"started\n")


def test_a_daemon_does_not_outlive_its_command(guest: Guest) -> None:
    """The command ends at once, though what it started holds its stdout open."""
    leaves_a_daemon = f"{_LISTEN}\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(1000)\n"
    for _ in range(2):
        answer, said = guest.run("python3", "-c", leaves_a_daemon)
        assert (answer["exit_code"], said) == (0, b"started\n")
