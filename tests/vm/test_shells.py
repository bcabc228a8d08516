"""Shells on a real machine: what a model types and reads, and what a person at a terminal of their own sees."""

import os
import signal
import subprocess
from collections.abc import Iterator

import pytest
from tests.opened import outliving
from tests.terminals import Terminal
from tests.typist import Typist

from pyro_mcp import InvalidRequest, NotFound, Pyro, Workspace
from pyro_mcp.environments.values import Environment
from pyro_mcp.host.processes import identify
from pyro_mcp.host.waiting import wait_until

_PASTE = "cat > pasted.txt\n" + "".join(f"line {number} of what was pasted\n" for number in range(200))
# Forty commits by one process.
_COMMITS = """for i in $(seq 40); do
printf 'commit refs/heads/main\\ncommitter A <a@b> %s +0000\\ndata <<E\\ncommit number %s\\nE\\n' $i $i; done"""


@pytest.fixture
def workspace(environment: Environment) -> Iterator[Workspace]:
    """A running workspace; deleted afterwards."""
    with Pyro().workspace.create() as made:
        yield made


def test_a_shell_is_used_by_writing_and_reading_alone(workspace: Workspace) -> None:
    shell = Typist(workspace, cols=80, rows=24, env={"GREETING": "hello from outside"})
    assert (shell.opened.state, shell.opened.exit_code) == ("prompt", 0)

    # A state that stays, exit codes, and progress at its last state.
    done = shell.do(
        'cd /tmp; x=5; echo "$GREETING"; for i in 1 2 3; do printf "\\r$i of 3"; done; echo; false'
    )
    assert done.text.splitlines()[1:3] == ["hello from outside", "3 of 3"]
    assert (done.state, done.exit_code, done.waited) == ("prompt", 1, "prompt")
    assert shell.do('echo "$PWD $x"; tty').text.splitlines()[1:3] == ["/tmp 5", "/dev/pts/0"]

    # A line that goes on, and one that is given up.
    assert shell.do("echo 'not").state == "continuation"
    assert shell.do("", "ctrl-c").exit_code == 130

    # Something that runs until it is told to stop: by its terminal, or by a signal to the foreground.
    assert shell.do("sleep 1000", wait_for_idle_ms=200).state == "running"
    workspace.shell.signal(shell.id, "TERM")
    assert shell.read().exit_code == 143
    shell.do("cat", wait_for_idle_ms=100)
    assert shell.do("", "ctrl-d").exit_code == 0

    # A REPL, waited for by what it says; a pattern that would take for ever harms nobody.
    assert shell.do("python3 -q", wait_for_pattern=r"^>>> $").waited == "pattern"
    assert shell.do("6 * 7", wait_for_pattern=r"^42\n").text.splitlines()[:2] == [">>> 6 * 7", "42"]
    with pytest.raises(InvalidRequest, match="cannot be waited for"):
        shell.do("print('a' * 60)", wait_for_pattern="(a+)+b")
    assert shell.do("", "ctrl-d").state == "prompt"

    # Full-screen programs have a screen, which is gone when they are.
    shell.do("vi poem", wait_for_idle_ms=300)
    typed = shell.do("iroses are red", "esc", wait_for_idle_ms=300)
    assert (typed.view, typed.full_screen, typed.text.splitlines()[0]) == ("screen", True, "roses are red")
    assert shell.do(":wq", "enter").text.splitlines()[-1].endswith("# ")
    assert "roses are red" in shell.do("cat poem").text
    top = shell.do("top", wait_for_pattern=r"PID +USER")
    assert top.view == "screen"
    assert "load average" in top.text.splitlines()[0]
    assert shell.do("q", "space").state == "prompt"
    paged = shell.do("seq 1 100 | less", wait_for_pattern="^23$")
    assert paged.text.splitlines()[0] == "1"
    assert shell.do("", "page-down", wait_for_pattern="^46$").text.splitlines()[0] == "24"
    assert shell.do("q", "space").state == "prompt"

    # Much that comes, much that goes, another size, and the end.
    flood = shell.do("seq 1 100000", wait_for_prompt=True, timeout_seconds=30)
    assert flood.text.splitlines()[-2:-1] == ["100000"]
    assert shell.do(_PASTE, "ctrl-d").state == "prompt"
    assert "200 pasted.txt" in shell.do("wc -l pasted.txt").text
    workspace.shell.resize(shell.id, cols=100, rows=40)
    assert "40 100" in shell.do("stty size").text
    ended = shell.do("exit 3")
    assert (ended.state, ended.ended) == ("ended", "it exited with status 3")
    assert [(found.shell_id, found.state) for found in workspace.shell.list()] == [("sh-1", "ended")]


def test_a_history_in_a_pager(workspace: Workspace) -> None:
    workspace.exec(f"git init -qb main . && {_COMMITS} | git fast-import --quiet")
    shell = Typist(workspace, cols=80, rows=24)
    first = shell.do("git log --stat", wait_for_pattern="^:$")
    assert [line for line in first.text.splitlines() if "commit number" in line][:2] == [
        "    commit number 40",
        "    commit number 39",
    ]
    assert first.state == "running"
    more = shell.do("", "space", wait_for_pattern="commit number 36")
    assert "commit number 40" not in more.text  # only what is new
    shell.sees_what_a_person_sees()
    found = shell.do("/number 7$", "enter", wait_for_pattern="^    commit number 7$")
    assert found.state == "running"
    shell.sees_what_a_person_sees()
    left = shell.do("q", "space")
    assert (left.state, left.exit_code) == ("prompt", 0)
    shell.sees_what_a_person_sees()


def test_all_that_runs_in_a_shell_ends_with_it(workspace: Workspace) -> None:
    shell = Typist(workspace)
    shell.do(
        "setsid nohup sleep 4321 >/dev/null 2>&1 & (trap '' HUP TERM INT; sleep 4322) & sleep 4323",
        wait_for_idle_ms=300,
    )
    assert workspace.exec("cat /proc/[0-9]*/cmdline | tr '\\0' ' '").exit_code == 0
    closed = workspace.shell.close(shell.id)
    assert closed.ended == "it was closed"
    other = Typist(workspace)
    assert other.id == "sh-2"
    # Each shell has a process namespace of its own; what is left of another would still hold its terminal.
    assert "/dev/pts/0" in other.do("tty").text
    with pytest.raises(NotFound, match="it was closed"):
        workspace.shell.read("sh-1")


def test_a_command_that_writes_keeps_its_workspace_from_being_idle(environment: Environment) -> None:
    with Pyro().workspace.create(idle_stop_seconds=2) as ws:
        shell = ws.shell.open()
        ws.shell.write(shell.shell_id, "for i in $(seq 7); do echo $i; sleep 0.5; done; echo well > finished")
        wait_until(lambda: ws.status().state == "stopped", what="the idle stop, after it", timeout=40)
        assert ws.exec("cat finished").stdout == "well\n"


def test_a_shell_without_bash_marks_its_prompt_too(workspace: Workspace) -> None:
    workspace.exec("mv /bin/bash /bin/no-bash")
    shell = Typist(workspace)
    assert (shell.opened.state, workspace.shell.list()[0].program) == ("prompt", "/bin/sh")
    done = shell.do("echo one; (exit 5)")
    assert "one" in done.text
    assert (done.state, done.exit_code) == ("prompt", 5)


def test_shells_end_with_their_machine_and_say_so(workspace: Workspace) -> None:
    Typist(workspace)
    workspace.stop()
    assert workspace.shell.list() == []
    with pytest.raises(NotFound, match="somebody stopped it"):
        workspace.shell.write("sh-1", "echo")
    assert workspace.status().state == "stopped"  # asking for what is gone starts nothing
    again = workspace.shell.open()
    assert (again.shell_id, again.resumed) == ("sh-2", True)
    assert workspace.exec("mountpoint /dev/pts && mountpoint /dev/shm && touch /dev/shm/file").exit_code == 0
    workspace.reset()
    with pytest.raises(NotFound, match="it was reset"):
        workspace.shell.read("sh-2")


@outliving
def test_a_killed_keeper_leaves_nothing_of_its_shells(workspace: Workspace) -> None:
    shell = Typist(workspace)
    shell.do("sleep 1000", wait_for_idle_ms=100)
    (keeper,) = subprocess.run(
        ["pgrep", "-f", f"keeper/__main__.py {workspace.info.workspace_id}"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    os.kill(int(keeper), signal.SIGKILL)
    wait_until(lambda: identify(int(keeper)) is None, what="the keeper to be gone", timeout=10)
    with pytest.raises(NotFound, match="killed"):
        workspace.shell.read(shell.id)
    assert workspace.shell.open().shell_id == "sh-2"


def test_a_person_attaches_resizes_and_leaves(workspace: Workspace) -> None:
    name = workspace.info.workspace_id
    terminal = Terminal(name, "-q")
    try:
        terminal.until(b"/workspace#")
        terminal.type(b"stty size\r")
        terminal.until(b"40 100")
        terminal.resize(70, 20)
        terminal.process.send_signal(signal.SIGWINCH)
        wait_until(lambda: workspace.shell.list()[0].cols == 70, what="the size", timeout=10)
        terminal.type(b"vi poem\r")
        terminal.until(b"\x1b[?1049h")
        (listed,) = workspace.shell.list()
        assert (listed.attached, listed.full_screen) == (1, True)
        terminal.type(b"\x10\x11")
        terminal.until(b"goes on")
        assert b"\x1b[?1049l" in terminal.seen
        assert terminal.process.wait(10) == 0
    finally:
        terminal.close()
    again = Terminal(name, listed.shell_id, "--detach-keys", "ctrl-a,d")
    try:
        again.until(b"\x1b[?1049h")
        again.type(b":q!\r")
        again.until(b"# ")
        again.type(b"exit\r")
        again.until(b"ended: it exited with status 0")
        assert again.process.wait(10) == 0
    finally:
        again.close()
