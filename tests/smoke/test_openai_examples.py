"""The OpenAI examples, run as their reader would, against a stand-in for the API whose model plays a written part."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.opened import git
from tests.smoke.project import BUG, FIX, write_project
from tests.standin import Call, Model, serving

_EXAMPLES = Path(__file__).parents[2] / "examples"
pytestmark = pytest.mark.timeout(180)


def _run(example: str, model: Model, directory: Path) -> str:
    with serving(model) as url:
        done = subprocess.run(
            [sys.executable, str(_EXAMPLES / example)],
            capture_output=True,
            text=True,
            cwd=directory,
            env={**os.environ, "OPENAI_BASE_URL": url, "OPENAI_API_KEY": "sk-stand-in"},
            stdin=subprocess.DEVNULL,
            check=False,
        )
    assert (done.returncode, model.troubles) == (0, []), done.stderr
    return done.stdout


def test_openai_vm_run(tmp_path: Path) -> None:
    part: list[Call] = [
        ("vm_run", {"command": "git --version; exit 3", "timeout_seconds": 60}),
        ("vm_run", {"command": "sleep 60", "timeout_seconds": 0.5}),
    ]
    model = Model(part, "git 2.39 is there.")
    said = _run("openai_vm_run.py", model, tmp_path)
    assert model.offered == ["vm_run"]
    assert '"exit_code": 3, "stdout": "git version 2.' in model.heard[0]
    assert '"outcome": "timed_out"' in model.heard[1]
    assert said.endswith("git 2.39 is there.\n")


def test_openai_workspace_core(tmp_path: Path) -> None:
    write_project(tmp_path)
    name = f"fix-{os.getpid()}"
    ws: dict[str, object] = {"workspace": name}
    tests = {**ws, "command": "python3 -m unittest"}
    edit: dict[str, object] = {**ws, "path": "pricing/money.py", "edits": [{"old": BUG, "new": FIX}]}
    part: list[Call] = [
        ("workspace_create", {"name": name, "seed_path": "."}),
        ("workspace_exec", tests),
        ("workspace_file_edit", edit),
        ("workspace_exec", tests),
        ("workspace_export", {**ws, "format": "patch", "output_path": "fix.patch"}),
        ("workspace_file_read", {**ws, "path": "no-such-file"}),
        ("workspace_delete", ws),
    ]
    model = Model(part, "The cents of 12.5 were read as 5.")
    said = _run("openai_workspace_core.py", model, tmp_path)
    assert "workspace_create" in model.offered
    assert "FAILED (failures=1)" in model.heard[1]
    assert "OK" in model.heard[3]
    assert model.heard[5].startswith("not_found: ")
    git(tmp_path, "apply", "fix.patch")
    assert FIX in (tmp_path / "pricing/money.py").read_text()
    assert said.endswith("The cents of 12.5 were read as 5.\n")
