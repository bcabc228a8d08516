"""Secrets on a real machine: the one command that asks knows them, and nothing that pyro writes or says tells them."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import get_args

import pytest
from tests.ladder import PyroProgram
from tests.opened import git
from tests.searching import Search, written_below

from pyro_mcp import NotFound, PolicyDenied, Pyro, Workspace
from pyro_mcp.environments.values import Environment
from pyro_mcp.models.shell import ShellView
from pyro_mcp.redaction import Redactor

TOKEN = "tok/3n+of the-ws'\"\\%"
KEY = b"-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0\nBAQEFAASCBKcwggSjAgEAAo\n-----END KEY-----\n"
VALUES = {"TOKEN": TOKEN.encode(), "KEY": KEY}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A host's repository."""
    found = tmp_path / "repository"
    found.mkdir()
    (found / "app.py").write_text("one\n")
    git(found, "init", "-q", "-b", "main")
    git(found, "config", "user.name", "A. Host")
    git(found, "config", "user.email", "host@example.org")
    git(found, "add", "-A")
    git(found, "commit", "-qm", "one")
    return found


@pytest.fixture
def workspace(environment: Environment, repository: Path, tmp_path: Path) -> Iterator[Workspace]:
    """A running workspace with two secrets, one of them a file."""
    (tmp_path / "key.pem").write_bytes(KEY)
    secrets = {"secrets": {"TOKEN": TOKEN}, "secret_files": {"KEY": tmp_path / "key.pem"}}
    with Pyro().workspace.create(name="secretive", seed_path=repository, **secrets) as made:  # type: ignore[arg-type]
        (tmp_path / "key.pem").unlink()
        yield made


def test_only_who_asks_is_told_and_nothing_that_is_kept_tells(
    workspace: Workspace, home: Path, tmp_path: Path, pyro: PyroProgram
) -> None:
    shown = workspace.exec("env; ls -l /run/pyro-secrets; stat -f -c %T /run/pyro-secrets")
    assert "TOKEN=" not in shown.stdout
    assert shown.stdout.count("-r-------- 1 root root") == 2
    assert shown.stdout.endswith("tmpfs\n")

    check = "import os, hashlib; print(hashlib.sha256(os.environ['TOK'].encode()).hexdigest())"
    known = workspace.exec(["python3", "-c", check], secret_env={"TOKEN": "TOK"})
    assert known.stdout == sha256(TOKEN.encode()).hexdigest() + "\n"
    with pytest.raises(NotFound, match="no secret 'OTHER'"):
        workspace.exec("true", secret_env={"OTHER": "OTHER"})

    # Whatever a command does with it, in pieces and in the encodings that programs use.
    (tmp_path / "leak.py").write_text(
        "import base64, os, sys, time, urllib.parse\n"
        "value = os.environ['TOKEN']\n"
        "for piece in ('plain: ', value[:3], value[3:9], value[9:], '\\n'):\n"
        "    os.write(1, piece.encode()); time.sleep(0.05)\n"
        "print('quoted:', urllib.parse.quote(value, safe=''))\n"
        "print('basic:', base64.b64encode(f'user:{value}'.encode()).decode())\n"
        "print('repeated:', value + value, flush=True)\n"
        "print(value, file=sys.stderr)\n"
    )
    workspace.file.write("leak.py", (tmp_path / "leak.py").read_text())
    told = bytearray()
    leaked = workspace.exec(["python3", "leak.py"], secret_env={"TOKEN": "TOKEN"})
    workspace.exec(
        ["python3", "leak.py"], secret_env={"TOKEN": "TOKEN"}, on_output=lambda _, data: told.extend(data)
    )
    assert leaked.stdout.startswith("plain: [redacted:TOKEN]\nquoted: [redacted:TOKEN]\nbasic: ")
    assert leaked.stdout.endswith("\nrepeated: [redacted:TOKEN][redacted:TOKEN]\n")
    assert leaked.stderr == "[redacted:TOKEN]\n"
    assert told.decode().startswith("plain: [redacted:TOKEN]")
    workspace.exec(f"true {TOKEN}; exit 3")
    with pytest.raises(NotFound) as refused:
        workspace.file.read(f"no-such-{TOKEN}")
    assert TOKEN not in str(refused.value)

    # A terminal, in each of its views, also of what is typed key by key.
    shell_id = workspace.shell.open(secret_env={"TOKEN": "TOK"}).shell_id
    workspace.shell.write(shell_id, 'echo "it is $TOK"')
    assert "it is [redacted:TOKEN]" in workspace.shell.read(shell_id, wait_for_prompt=True).text
    for letter in f"# {TOKEN}":
        workspace.shell.write(shell_id, letter, append_newline=False)
    workspace.shell.read(shell_id, wait_for_idle_ms=300)
    for view in get_args(ShellView):
        seen = workspace.shell.read(shell_id, cursor=0, view=view)
        assert TOKEN not in seen.text
        assert TOKEN.encode() not in (seen.raw or b"")
    workspace.shell.close(shell_id)

    # A text answer is redacted; what must be exact is refused.
    workspace.exec(
        "cp /run/pyro-secrets/KEY key.pem; printf 'a = %s\\n' \"$TOKEN\" > conf",
        secret_env={"TOKEN": "TOKEN"},
    )
    assert workspace.file.read("conf").content == "a = [redacted:TOKEN]\n"
    assert "MIIE" not in workspace.file.read("key.pem").content
    assert [match.text for match in workspace.file.search("a = ").matches] == ["a = [redacted:TOKEN]"]
    for attempt in (
        lambda: workspace.file.read("conf", encoding="base64"),
        lambda: workspace.diff(),
        lambda: workspace.export(format="patch", output_path=tmp_path / "out.patch"),
        lambda: workspace.export(format="branch", branch_name="out"),
        lambda: workspace.export(output_path=tmp_path / "out"),
        lambda: workspace.export("conf", output_path=tmp_path / "conf"),
    ):
        with pytest.raises(PolicyDenied, match="secret") as denied:
            attempt()
        assert "conf: TOKEN" in (denied.value.details or "")
    assert "key.pem: KEY" in _denied(lambda: workspace.diff())
    assert workspace.diff(format="stat").stat is not None
    assert not any((tmp_path / name).exists() for name in ("out.patch", "out", "conf"))
    workspace.export("conf", output_path=tmp_path / "conf", allow_paths=["conf"])
    assert (tmp_path / "conf").read_text() == f"a = {TOKEN}\n"
    (tmp_path / "conf").unlink()

    logs = pyro("workspace", "logs", "secretive", "--json").stdout
    status = pyro("workspace", "status", "secretive", "--json").stdout
    redactor = Redactor(VALUES)
    assert redactor.names_in([logs]) == redactor.names_in([status]) == ()
    files = list(written_below(home / "state", home / "runtime"))
    assert {"registry.sqlite", "stdout"} <= {path.name for path in files}
    assert Search(VALUES).found_in_files(files) == {}
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        assert TOKEN.encode() not in _content(process)


def test_they_stay_as_long_as_the_workspace_and_go_with_it(workspace: Workspace, home: Path) -> None:
    store = home / "state/workspaces" / workspace.info.workspace_id / "secrets"
    assert stat.S_IMODE(store.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in store.iterdir()} == {0o600}
    workspace.exec("touch changed")
    workspace.reset()
    assert workspace.exec("cat /run/pyro-secrets/KEY; ls").stdout == "[redacted:KEY]\napp.py\n"
    workspace.stop()
    assert workspace.exec("cat /run/pyro-secrets/TOKEN").stdout == "[redacted:TOKEN]"
    plain, knowing = (workspace.fork(with_secrets=wanted)[0].workspace for wanted in (False, True))
    assert plain is not None
    assert knowing is not None
    pyro = Pyro()
    assert pyro.workspace.exec(plain.workspace_id, "ls /run/pyro-secrets").exit_code != 0
    assert (
        pyro.workspace.exec(knowing.workspace_id, "cat /run/pyro-secrets/TOKEN").stdout == "[redacted:TOKEN]"
    )
    for fork in (plain, knowing):
        pyro.workspace.delete(fork.workspace_id)
    workspace.delete()
    assert not store.parent.exists()


def test_the_command_line_takes_a_value_from_the_environment(
    environment: Environment, home: Path, pyro: PyroProgram
) -> None:
    made = subprocess.run(
        [
            Path(sys.executable).with_name("pyro"),
            "workspace",
            "create",
            "--secret",
            "FROM_ENV",
            "--name",
            "told",
        ],
        env={**os.environ, "FROM_ENV": "value of the environment"},
        capture_output=True,
        check=True,
    )
    assert b"value of" not in made.stdout + made.stderr
    ran = pyro(
        "workspace",
        "exec",
        "told",
        "--secret-env",
        "FROM_ENV=V",
        "--",
        "sh",
        "-c",
        'echo "$V" | wc -c; echo "$V"',
    )
    assert ran.stdout == b"25\n[redacted:FROM_ENV]\n"
    assert pyro("workspace", "delete", "told").returncode == 0


def _denied(attempt: "object") -> str:
    assert callable(attempt)
    with pytest.raises(PolicyDenied) as denied:
        attempt()
    return denied.value.details or ""


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
