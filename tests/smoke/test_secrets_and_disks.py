"""The examples of secrets, snapshots side by side, and the disks of stopped workspaces."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

_EXAMPLES = Path(__file__).parents[2] / "examples"
pytestmark = pytest.mark.timeout(180)


def _run(*command: str) -> str:
    variables = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        command, capture_output=True, text=True, env=variables, stdin=subprocess.DEVNULL, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_secrets() -> None:
    said = _run("sh", str(_EXAMPLES / "secrets.sh"))
    assert said.startswith("unasked: nothing\nasked: 14 characters\nGET /?key=[redacted:API_TOKEN]\n")
    assert "tok-3f9a77c2e1" not in said
    assert "\ndiff: status 8\nA\tleaked.txt\n" in said


def test_secrets_sdk() -> None:
    assert _run(sys.executable, str(_EXAMPLES / "secrets_sdk.py")).splitlines() == [
        "names: KEY TOKEN",
        "3 lines of a key",
        "key%3D[redacted:TOKEN]",
        "-----BEGIN KEY-----",
        "[redacted:KEY]",
        "-----END KEY-----",
        "policy_denied: key.pem: KEY",
        "exported: done",
    ]


def test_secrets_mcp() -> None:
    said = _run(sys.executable, str(_EXAMPLES / "secrets_mcp.py"))
    assert "the token is [redacted:TOKEN]" in said
    assert "policy_denied: one path holds a secret" in said
    assert "tok-3f9a77c2e1" not in said


def test_disks() -> None:
    said = _run("sh", str(_EXAMPLES / "disks.sh"))
    assert "-3\n+three\n" in said
    assert "\n+it works\n" in said
    assert "\nit works\na disk of its own\n" in said


def test_disks_sdk() -> None:
    lines = _run(sys.executable, str(_EXAMPLES / "disks_sdk.py")).splitlines()
    assert "+two" in lines
    assert "D\tplan.md" in lines
    assert lines[-3:] == ["entries: []", "Debian 12", "state: stopped"]
