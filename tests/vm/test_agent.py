"""What the agent promises its host, asked of it directly on a real machine."""

import pytest
from tests.ladder import Guest

from pyro_mcp.errors import GuestFailed, InvalidRequest
from pyro_wire.messages import Message


def test_the_agents_own_root_and_the_disks_are_out_of_sight(guest: Guest) -> None:
    _, said = guest.run(
        "sh", "-c", "ls /proc/1/root/; ls /dev; cat /proc/mounts; ls /proc | grep -c '^[0-9]'"
    )
    text = said.decode()
    assert "workspace" in text
    for hidden in ("vda", "vport", "agent", "/run/env\n", "squashfs"):
        assert hidden not in text
    assert int(text.split()[-1]) <= 4  # init, the shell and its pipeline


def test_a_workspace_is_a_place_to_work_in(guest: Guest) -> None:
    script = "set -e; cd /workspace; mkdir a; echo x > a/f; mv a b; cat b/f; df -T . | tail -1; echo t > /tmp/t; stat -c %a /tmp"
    answer, said = guest.run("sh", "-c", script)
    assert answer["exit_code"] == 0
    first, disk, mode = said.decode().splitlines()
    assert (first, mode) == ("x", "1777")
    assert "ext4" in disk


@pytest.mark.parametrize(
    ("user", "identity"),
    [("nobody", b"65534 65534 65534\n"), (1234, b"1234 1234 1234\n"), (None, b"0 0 0\n")],
)
def test_a_command_runs_as_whom_it_should(guest: Guest, user: object, identity: bytes) -> None:
    said = bytearray()
    request: Message = {"verb": "exec", "argv": ["sh", "-c", "echo $(id -u) $(id -g) $(id -G)"], "user": user}
    answer = guest.channel.ask(request, on_data=lambda _, data: said.extend(data), timeout=20)
    assert (answer["exit_code"], bytes(said)) == (0, identity)


@pytest.mark.parametrize(
    "wrong",
    [
        {"cwd": "/no/such/folder"},
        {"cwd": "/etc/passwd"},
        {"user": "no-such-user"},
        {"argv": []},
        {"timeout_ms": 0},
    ],
)
def test_a_wrong_request_is_refused_and_the_agent_goes_on(guest: Guest, wrong: Message) -> None:
    with pytest.raises(InvalidRequest):
        guest.channel.ask({"verb": "exec", "argv": ["true"], **wrong}, timeout=20)
    answer, _ = guest.run("true")
    assert answer["exit_code"] == 0


@pytest.mark.parametrize(
    ("script", "status", "words"),
    [
        ("no-such-command", 127, "pyro: no-such-command: command not found\n"),
        ("/no/such/file", 127, "pyro: /no/such/file: no such file\n"),
        ("/etc/passwd", 126, "pyro: /etc/passwd: Permission denied\n"),
        ("/workspace", 126, "pyro: /workspace: Permission denied\n"),
    ],
)
def test_what_cannot_run_is_answered_as_by_a_shell(
    guest: Guest, script: str, status: int, words: str
) -> None:
    answer, _ = guest.run(script)
    assert answer["exit_code"] == status
    assert guest.said[2].decode() == words


def test_a_process_killed_for_want_of_memory_is_told(guest: Guest) -> None:
    hog = "hoard = []\nwhile True: hoard.append(bytearray(b'x' * (1 << 20)))"
    answer, said = guest.run("sh", "-c", f'python3 -c "{hog}"; echo went on', timeout=60)
    assert (answer["exit_code"], answer["oom"], said) == (0, True, b"went on\n")


def test_more_commands_at_once_than_runners_are_ready(guest: Guest) -> None:
    for number in range(8):
        answer, said = guest.run("echo", str(number))
        assert (answer["exit_code"], said) == (0, f"{number}\n".encode())


def test_a_disk_is_frozen_once_and_thawed_again(guest: Guest) -> None:
    guest.channel.ask({"verb": "freeze"}, timeout=20)
    with pytest.raises(GuestFailed):
        guest.channel.ask({"verb": "freeze"}, timeout=20)
    _, said = guest.run("echo", "nothing but writing waits")
    assert said == b"nothing but writing waits\n"
    assert guest.channel.ask({"verb": "thaw"}, timeout=20)["expired"] is False
    _, said = guest.run("sh", "-c", "echo y > /workspace/f; cat /workspace/f")
    assert said == b"y\n"
