"""Every example runs on a real machine, as its reader would run it, and says what it should."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

_EXAMPLES = Path(__file__).parents[2] / "examples"

# A first run may have to freeze a template; the environment is there (`make` pulls it).
pytestmark = pytest.mark.timeout(180)


def _run(*command: str) -> str:
    variables = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        command, capture_output=True, text=True, env=variables, stdin=subprocess.DEVNULL, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_no_example_is_left_out() -> None:
    runs = {"command_line.sh", "sdk.py", "mcp_client.py", "mcp_http.py", "image.py"}
    runs |= {"secrets.sh", "secrets_sdk.py", "secrets_mcp.py", "disks.sh", "disks_sdk.py"}
    workspaces = {"workspace.sh", "workspace_sdk.py", "workspace_mcp.py"}
    models = {"openai_vm_run.py", "openai_workspace_core.py"}  # test_openai_examples.py
    services = {"service.sh", "service_sdk.py", "service_mcp.py"}
    shells = {"shell.sh", "shell_sdk.py", "shell_mcp.py"}
    networks = {"network.sh", "network_sdk.py", "network_mcp.py"}
    known = runs | workspaces | models | services | shells | networks
    assert {file.name for file in _EXAMPLES.iterdir() if file.is_file()} == known


def test_command_line() -> None:
    first, count, last = _run("sh", str(_EXAMPLES / "command_line.sh")).splitlines()
    assert first.startswith("git version 2.")
    assert count.strip() == "3"
    assert last == "it is Debian 12 in there"


def test_image() -> None:
    name, who, status, *files = _run(sys.executable, str(_EXAMPLES / "image.py")).splitlines()
    assert name.startswith("greeter:1  ")
    assert (who, status, files) == ("hello from /srv, made here", "exit 0", ["greeting.txt"])


def test_sdk() -> None:
    lines = _run(sys.executable, str(_EXAMPLES / "sdk.py")).splitlines()
    assert lines[:2] == ["sum 42", "variables ['JOB_ID']"]
    assert lines[2].startswith("isolation ")
    assert "exit 3: no such luck" in lines
    assert "stdout: tick" in lines
    assert "outcome timed_out" in lines
    assert lines[-1].startswith("not_found: Did you mean debian:12")


def test_mcp_client() -> None:
    said = _run(sys.executable, str(_EXAMPLES / "mcp_client.py"))
    assert said.startswith("tools: vm_run\n")
    assert "exit_code 4 after" in said
    assert "git version 2." in said
    assert "\nLinux\n" in said
    assert said.endswith("structured exit_code: 4\n")


def test_mcp_http() -> None:
    said = _run(sys.executable, str(_EXAMPLES / "mcp_http.py"))
    assert said.startswith("without the token: 401\ntools: ")
    assert "repro-and-fix" in said
    assert said.endswith("--- stdout\nLinux\n")


def test_workspace() -> None:
    said = _run("sh", str(_EXAMPLES / "workspace.sh"))
    assert said.startswith("the bug is there\ncalc.py: 1 replaced (edit 1 at line 2)")
    assert "\nall is well\n" in said
    assert "-    return a - b\n+    return a + b\n" in said
    assert "2 files changed, 2 insertions(+), 1 deletion(-)\nand back again\n" in said


def test_workspace_sdk() -> None:
    lines = _run(sys.executable, str(_EXAMPLES / "workspace_sdk.py")).splitlines()
    assert lines[:3] == ["exit 1: AssertionError: -1", "edited calc.py", "all is well"]
    assert lines[3] == "the fork is gone, and here is ['calc.py']"
    assert "+    return a + b" in lines
    assert lines[-2] == "after reset: ()"
    assert lines[-1].startswith("not_found: /workspace/no-such-file")


def test_workspace_core() -> None:
    said = _run(sys.executable, str(_EXAMPLES / "workspace_mcp.py"))
    assert "exit_code 3 after" in said
    assert "\n--- stdout\n42\n" in said
    assert "\n+print(6 * 7)\n" in said
    assert "\non this computer: print(6 * 7)\n" in said
    assert "\nfiles after reset: []\n" in said
    assert "is deleted" in said.splitlines()[-1]


def test_service() -> None:
    said = _run("sh", str(_EXAMPLES / "service.sh"))
    assert said.startswith("hello from inside\n")
    assert "\nexit status 6\n" in said
    assert "state:         stopped (the machine ended: somebody stopped it)" in said


def test_service_sdk() -> None:
    lines = _run(sys.executable, str(_EXAMPLES / "service_sdk.py")).splitlines()
    assert lines[0] == "running hello from inside"
    assert "the service bad did not become ready: it ended before it was ready: exit status 1" in lines
    assert "no database" in lines
    assert lines[-1] == "web: stopped (the machine ended: it was reset)"


def test_service_mcp() -> None:
    said = _run(sys.executable, str(_EXAMPLES / "service_mcp.py"))
    assert "\nservice web: running, log " in said
    assert "\nfrom here: hello\n" in said
    assert '"GET /hello.txt HTTP/1.1" 200 -\n---\n' in said
    assert "\nservice web: stopped (somebody stopped it), log " in said


def test_shell() -> None:
    said = _run("sh", str(_EXAMPLES / "shell.sh"))
    assert "\nstep 3 of 3\n" in said
    assert "\n42\n>>> " in said
    assert "\nRoses are red,\nRoses are red,\n" in said
    assert said.splitlines()[-2] == "sh-1: ended: it was closed"


def test_shell_sdk() -> None:
    lines = _run(sys.executable, str(_EXAMPLES / "shell_sdk.py")).splitlines()
    assert "([1, 2, 3], 3)" in lines
    assert lines[-2] == "state prompt, exit code 130"
    assert lines[-1] == "not_found: shell sh-1 is gone: it was closed"


def test_shell_mcp() -> None:
    said = _run(sys.executable, str(_EXAMPLES / "shell_mcp.py"))
    assert "\nshell sh-1 is open\n" in said
    assert "\n5\n:\n---\na full-screen program runs; the pattern matched; cursor at row 6, column 2\n" in said
    assert "\n100\n(END)\n---\n" in said
    assert "did you mean ctrl-c?" in said
    assert "sh-1: ended: it was closed" in said


def test_network() -> None:
    said = _run("sh", str(_EXAMPLES / "network.sh"))
    assert said.startswith(
        "no network without --network-policy\npypi.org answers 200\nrefused: https://registry.npmjs.org/\n"
    )
    assert "policy_denied" in said
    assert "host=169.254.169.254 port=80" in said


@pytest.mark.skipif("PYRO_LONG_TESTS" not in os.environ, reason="pip, emulated; set PYRO_LONG_TESTS=1")
def test_network_sdk() -> None:
    there, refused, *told = _run(sys.executable, str(_EXAMPLES / "network_sdk.py")).splitlines()
    assert there == "six is there"
    assert refused == "exit 6: curl: (6) Could not resolve host: registry.npmjs.org"
    assert told == ["refused registry.npmjs.org: no rule names it"]


def test_network_mcp() -> None:
    said = _run(sys.executable, str(_EXAMPLES / "network_mcp.py"))
    assert "Could not resolve host: registry.npmjs.org" in said
    assert (
        "\nNo network here: use what is installed. For a network, make a machine with network_policy egress."
        in said
    )
    assert said.rstrip().endswith("200")


@pytest.mark.skipif(
    "PYRO_LONG_TESTS" not in os.environ, reason="a minute of emulated apt; set PYRO_LONG_TESTS=1"
)
def test_network_apt() -> None:
    """Debian's package manager, unchanged, with Debian's archive as all that is allowed."""
    install = "apt-get -q update && apt-get -q install -y --no-install-recommends hello && hello"
    allowed = ("--network-policy", "egress", "--allow-host", "deb.debian.org")
    said = _run("pyro", "run", "-q", *allowed, "debian:12", "--", "sh", "-c", install)
    assert said.endswith("Hello, world!\n")
