"""Workspaces on real machines, through the doors that people and models have."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp_types import CallToolResult, TextContent
from tests.ladder import PyroProgram

from pyro_mcp import Conflict, Edit, HostUnfit, InvalidRequest, NotFound, Pyro, Workspace
from pyro_mcp.environments.values import Environment
from pyro_mcp.host.waiting import wait_until

_PROGRAM = str(Path(sys.executable).with_name("pyro"))


@pytest.fixture
def seed(tmp_path: Path) -> Path:
    """A small project on the host."""
    project = tmp_path / "project"
    (project / "src").mkdir(parents=True)
    (project / "src/app.py").write_text("def add(a, b):\n    return a - b\n")
    (project / "README").write_text("hello\n")
    return project


@pytest.fixture
def workspace(environment: Environment, seed: Path) -> Iterator[Workspace]:
    """A running workspace of the small project; deleted afterwards."""
    with Pyro().workspace.create(seed_path=seed, labels={"team": "web"}) as made:
        yield made


def _json(done: "subprocess.CompletedProcess[bytes]") -> dict[str, object]:
    assert done.returncode == 0, done.stderr
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def test_large_input_reaches_a_command_whole(workspace: Workspace) -> None:
    data = os.urandom(5 << 20)
    assert workspace.exec("sha256sum", stdin=data).stdout.split()[0] == hashlib.sha256(data).hexdigest()


def test_find_the_fault_fix_it_and_take_the_change_home(workspace: Workspace, tmp_path: Path) -> None:
    tried = workspace.exec("cd src && python3 -c 'import app; assert app.add(1, 2) == 3'")
    assert (tried.outcome, tried.exit_code) == ("finished", 1)
    assert "AssertionError" in tried.stderr
    (found,) = workspace.file.search("return", glob="**/*.py").matches
    assert (found.path, found.line) == ("src/app.py", 2)
    before = workspace.file.read("src/app.py")
    workspace.file.edit("src/app.py", [Edit("a - b", "a + b")], if_match=before.sha256)
    assert workspace.exec("cd src && python3 -c 'import app; assert app.add(1, 2) == 3'").exit_code == 0
    patch = workspace.diff(paths=["src/app.py"]).patch
    assert patch is not None
    assert "+    return a + b" in patch
    workspace.export(format="patch", output_path=tmp_path / "fix.patch")
    assert "+    return a + b" in (tmp_path / "fix.patch").read_text()
    workspace.reset()
    assert workspace.diff().files == ()
    kinds = [event.kind for event in workspace.logs().events]
    assert [kind for kind in kinds if kind in ("create", "file.edit", "reset")] == [
        "create",
        "file.edit",
        "reset",
    ]
    assert workspace.logs().faults == ()


def test_a_workspace_is_made_found_and_deleted_on_the_command_line(pyro: PyroProgram, seed: Path) -> None:
    made = pyro("workspace", "create", "--seed-path", str(seed), "--name", "cli-one", "-q", "--id-only")
    workspace_id = made.stdout.decode().strip()
    try:
        assert made.returncode == 0, made.stderr
        (listed,) = json.loads(pyro("workspace", "list", "--json").stdout)["workspaces"]
        assert (listed["workspace_id"], listed["name"], listed["state"]) == (
            workspace_id,
            "cli-one",
            "running",
        )
        assert b"cli-one" in pyro("workspace", "list").stdout
        status = _json(pyro("workspace", "status", workspace_id, "--json"))
        assert status["seed"]["files"] == 2  # type: ignore[index]
        taken = pyro("workspace", "create", "--name", "cli-one")
        assert taken.returncode == 4
        assert b"hint: " in taken.stderr
        done = pyro(
            "workspace",
            "exec",
            "cli-one",
            "-q",
            "--",
            "sh",
            "-c",
            "cat README; cat; echo e >&2; exit 7",
            stdin=b"in",
        )
        assert (done.returncode, done.stdout, done.stderr) == (7, b"hello\nin", b"e\n")
        assert pyro("workspace", "exec", "cli-one", "--", "sh", "-c", "kill -9 $$").returncode == 137
        late = pyro("workspace", "exec", "cli-one", "--timeout-seconds", "0.5", "--", "sleep", "30")
        assert late.returncode == 124
        answer = pyro("workspace", "exec", "cli-one", "--json", "--", "sh", "-c", "echo out; exit 3")
        assert answer.returncode == 3
        assert json.loads(answer.stdout)["stdout"] == "out\n"
    finally:
        gone = pyro("workspace", "delete", "cli-one")
    assert gone.returncode == 0, gone.stderr
    assert pyro("workspace", "status", "cli-one").returncode == 3
    assert pyro("workspace", "exec", "cli-one", "--", "true").returncode == 125


def test_content_goes_through_the_command_line_byte_for_byte(pyro: PyroProgram, workspace: Workspace) -> None:
    name, data = workspace.info.workspace_id, bytes(range(256)) + b"\r\n"
    assert pyro("workspace", "file", "write", name, "odd", "--text-file", "-", stdin=data).returncode == 0
    read = pyro("workspace", "file", "read", name, "odd", "--encoding", "base64", "--content-only")
    assert read.stdout == data
    edited = pyro("workspace", "file", "edit", name, "README", "--edit", "hello", "bye", "--json")
    assert _json(edited)["total"] == 1
    patch = pyro("workspace", "diff", name, "--path", "README").stdout
    assert b"-hello\n+bye\n" in patch
    assert pyro("workspace", "reset", name).returncode == 0
    assert pyro("workspace", "patch", "apply", name, "--patch-file", "-", stdin=patch).returncode == 0
    shown = pyro("workspace", "file", "read", name, "README", "--content-only")
    assert shown.stdout == b"bye\n"


@pytest.mark.parametrize("name", ["Über", "a b", "ws-0123456789", "none", "-x", "a" * 64])
def test_a_name_that_cannot_be_is_refused_with_one_that_can(name: str, environment: Environment) -> None:
    with pytest.raises(InvalidRequest) as refused:
        Pyro().workspace.create(name=name)
    assert refused.value.hint
    assert Pyro().workspace.list() == []


def test_a_misspelt_workspace_is_told_the_near_one(workspace: Workspace) -> None:
    workspace.update(name="tidy-otter")
    with pytest.raises(NotFound, match="tidy-oter") as missing:
        Pyro().workspace.status("tidy-oter")
    assert "tidy-otter" in (missing.value.hint or "")


def test_a_command_outlives_whoever_started_it(workspace: Workspace, pyro: PyroProgram) -> None:
    name = workspace.info.workspace_id
    answer = pyro(
        "workspace",
        "exec",
        name,
        "--json",
        "--yield-after-seconds",
        "0",
        "--",
        "sh",
        "-c",
        "while [ ! -e go ]; do sleep 0.05; done; echo done",
    )
    yielded = json.loads(answer.stdout)
    assert (answer.returncode, yielded["outcome"]) == (0, "running")
    assert workspace.status().running == (yielded["exec_id"],)
    workspace.exec("touch go")
    polled = workspace.exec_wait(yielded["exec_id"], wait_seconds=10)
    assert (polled.outcome, polled.stdout) == ("finished", "done\n")
    slow = workspace.exec("trap '' INT; echo on; while :; do sleep 1; done", yield_after_seconds=0.2)
    assert slow.outcome == "running"

    def said() -> bool:
        return workspace.exec_wait(slow.exec_id, wait_seconds=0).stdout == "on\n"

    wait_until(said, what="the command to speak", timeout=30)
    killed = workspace.exec_wait(slow.exec_id, action="kill", wait_seconds=10)
    assert killed.outcome == "killed"
    assert workspace.output.read(slow.output_id, grep="^o").matches == 1


def test_ctrl_c_reaches_the_command(workspace: Workspace, pyro: PyroProgram) -> None:
    running = pyro.start(
        "workspace", "exec", workspace.info.workspace_id, "--", "sh", "-c", "echo on; exec sleep 60"
    )
    with running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"on\n"
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=20)
    assert running.returncode == 130


def test_a_stopped_workspace_keeps_its_files_and_starts_by_itself(workspace: Workspace) -> None:
    workspace.exec("echo kept > file")
    assert workspace.stop().state == "stopped"
    assert Pyro().workspace.list(state="stopped")[0].workspace_id == workspace.info.workspace_id
    workspace.logs()
    assert workspace.status().state == "stopped"  # whoever looks starts nothing
    again = workspace.exec("cat file")
    assert (again.stdout, again.resumed) == ("kept\n", True)
    assert again.resumed_reason
    assert workspace.exec("true").resumed is False
    workspace.stop()
    assert workspace.start().state == "running"


def test_an_idle_workspace_is_stopped_and_not_lost(environment: Environment) -> None:
    with Pyro().workspace.create(idle_stop_seconds=1) as workspace:
        workspace.exec("echo kept > file")
        wait_until(lambda: workspace.status().state == "stopped", what="the idle stop", timeout=20)
        again = workspace.exec("cat file")
        assert (again.stdout, again.resumed) == ("kept\n", True)
        assert workspace.update(idle_stop_seconds=0).idle_stop_seconds is None


def test_only_a_ttl_deletes(environment: Environment) -> None:
    made = Pyro().workspace.create(ttl_seconds=1)
    wait_until(lambda: Pyro().workspace.list() == [], what="the workspace's time to be over", timeout=20)
    with pytest.raises(NotFound):
        made.status()


def test_snapshots_lead_back_and_forks_lead_on(workspace: Workspace) -> None:
    workspace.exec("echo one > state")
    assert workspace.snapshot.create("one").parent == "baseline"
    with pytest.raises(Conflict):
        workspace.snapshot.create("one")
    workspace.exec("echo two > state")
    forks = [*workspace.fork(count=2, names=["fork-a"]), *workspace.fork(from_snapshot="one")]
    made = [fork.workspace.workspace_id for fork in forks if fork.workspace]
    try:
        assert [Pyro().workspace.exec(fork, "cat state").stdout for fork in made] == [
            "two\n",
            "two\n",
            "one\n",
        ]
        assert Pyro().workspace.status("fork-a").labels == {"team": "web"}
    finally:
        for fork in made:
            Pyro().workspace.delete(fork)
    workspace.reset("one")
    assert workspace.exec("cat state").stdout == "one\n"
    workspace.reset()
    assert workspace.exec("cat state").exit_code == 1
    workspace.snapshot.delete("one")
    assert "one" not in [found.name for found in workspace.snapshot.list()]


def test_a_workspace_behind_weaker_walls_than_required_is_not_used(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    if workspace.info.isolation == "hardware":
        pytest.skip("this host has the best there is")
    monkeypatch.setenv("PYRO_REQUIRE_ISOLATION", "hardware")
    for _ in range(2):  # while its machine runs, and once it would have to be started
        with pytest.raises(HostUnfit, match=r"hardware|isolation"):
            Pyro().workspace.exec(workspace.info.workspace_id, "true")
        workspace.stop()


def test_labels_and_names_change_and_find(workspace: Workspace) -> None:
    changed = workspace.update(name="other", labels={"stage": "review"}, clear_labels=["team"])
    assert (changed.name, changed.labels) == ("other", {"stage": "review"})
    found = Pyro().workspace.list(labels={"stage": "review"}, state="running", environment="debian:12")
    assert [item.name for item in found] == ["other"]
    assert Pyro().workspace.list(labels={"team": "web"}) == []
    assert workspace.update(clear_name=True).name is None
    with pytest.raises(InvalidRequest, match="at once"):
        workspace.update(name="both", clear_name=True)
    with pytest.raises(InvalidRequest, match="strip"):
        workspace.patch.apply("--- a/x\n+++ b/x\n@@ -0,0 +1 @@\n+x\n", strip=-1)
    with pytest.raises(InvalidRequest, match="branch_name is empty"):
        workspace.export(format="branch", branch_name="")


def test_a_push_brings_what_changed_on_the_host(workspace: Workspace, seed: Path) -> None:
    (seed / "README").write_text("later\n")
    (seed / "src/app.py").unlink()
    report = workspace.sync.push(seed, delete=True)
    assert (report.changed, report.removed) == (1, 1)
    assert workspace.exec("cat README; ls src").stdout == "later\n"


def test_the_narrow_profile_is_enough_for_a_fix(environment: Environment, home: Path, seed: Path) -> None:
    async def play() -> None:
        arguments = ["mcp", "serve", "--profile", "workspace-core", "--host-root", str(seed)]
        server = StdioServerParameters(command=_PROGRAM, args=arguments, env={"PYRO_HOME": str(home)})
        async with Client(stdio_client(server)) as client:
            await _fix(client, seed)

    anyio.run(play)


async def _fix(client: Client, seed: Path) -> None:
    denied = await client.call_tool("workspace_create", {"seed_path": "/etc"})
    assert _text(denied).startswith("policy_denied: ")
    made = await client.call_tool("workspace_create", {"seed_path": str(seed), "name": "narrow"})
    assert "workspace narrow (ws-" in _text(made)

    async def ask(tool: str, **arguments: object) -> str:
        answer = await client.call_tool(f"workspace_{tool}", {"workspace": "narrow", **arguments})
        assert not answer.is_error, _text(answer)
        return _text(answer)

    assert "exit_code 1" in await ask(
        "exec", command="cd src && python3 -c 'import app; assert app.add(1, 2) == 3'"
    )
    assert "     2      return a - b" in await ask("file_read", path="src/app.py")
    await ask("file_edit", path="src/app.py", edits=[{"old": "a - b", "new": "a + b"}])
    assert "+    return a + b" in await ask("diff")
    long = await ask("exec", command="seq 100000; sleep 0.1")
    assert "workspace_output_read with output_id=out-" in long
    assert len(long) < 32_000
    await ask("export", format="patch", output_path="fix.patch")
    assert "+    return a + b" in (seed / "fix.patch").read_text()
    refused = await client.call_tool("workspace_reset", {"workspace": "narrow", "snapshot": "x"})
    assert "no argument 'snapshot'" in _text(refused)
    await ask("reset")
    await ask("delete")


def _text(answer: CallToolResult) -> str:
    assert isinstance(answer.content[0], TextContent)
    return answer.content[0].text
