"""A package's own test suite says the same inside a workspace as on the host: cold-start validation of a repository."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.opened import outliving
from tests.releases import unpacked, uv, wheels

from pyro_mcp import Pyro
from pyro_mcp.environments.values import Environment

# An emulated machine needs some fifteen times as long as its host.
_SECONDS = 900
pytestmark = [outliving, pytest.mark.timeout(_SECONDS + 60)]
_BUILD = "debian:12-build"
# What a person would type in a fresh clone without network: the wheels are in the seed.
_PREPARE = (
    "python3 -m venv --without-pip /tmp/venv && python3 -m pip --python /tmp/venv/bin/python install"
    " --quiet --disable-pip-version-check --no-index --find-links wheels pytest trio ."
)
_TEST = "-m pytest -q -p no:cacheprovider"


@pytest.mark.parametrize(("name", "version"), [("click", "8.1.8"), ("jinja2", "3.1.5"), ("flask", "3.1.0")])
def test_a_suite_says_the_same_as_on_the_host(
    environment: Environment, tmp_path: Path, name: str, version: str
) -> None:
    source = unpacked(name, version, tmp_path)
    shutil.copytree(wheels(), source / "wheels")
    shutil.copytree(source, tmp_path / "host")
    with Pyro().workspace.create(_BUILD, seed_path=source, mem_mib=2048) as workspace:
        prepared = workspace.exec(_PREPARE, timeout_seconds=_SECONDS)
        assert prepared.exit_code == 0, prepared.stderr
        python = workspace.exec(
            "python3 -c 'import platform; print(platform.python_version())'"
        ).stdout.strip()
        tested = workspace.exec(f"/tmp/venv/bin/python {_TEST}", timeout_seconds=_SECONDS)
    print(f"{name} {version}: {prepared.duration_ms} ms to prepare, {tested.duration_ms} ms to test")
    inside = _counts(tested.stdout)
    assert inside == _on_the_host(tmp_path / "host", tmp_path / "venv", python), tested.stdout
    assert inside["passed"] > 400
    assert tested.exit_code == (1 if inside.get("failed") else 0)


def _on_the_host(source: Path, venv: Path, version: str) -> Mapping[str, int]:
    """Run the suite here, by the same Python if this host has it, else by one of the same minor version."""
    plain = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    same = (
        subprocess.run([*uv(), "python", "find", version], capture_output=True, check=False).returncode == 0
    )
    wanted = version if same else version.rpartition(".")[0]
    subprocess.run([*uv(), "venv", "-q", "--python", wanted, str(venv)], check=True)
    words = [
        *uv(),
        "pip",
        "install",
        "-q",
        "--python",
        str(venv),
        "--no-index",
        "--find-links",
        "wheels",
        "pytest",
        "trio",
        ".",
    ]
    subprocess.run(words, cwd=source, check=True)
    done = subprocess.run(
        [str(venv / "bin/python"), *_TEST.split()],
        cwd=source,
        env=plain,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return _counts(done.stdout)


def _counts(said: str) -> Mapping[str, int]:
    """Read pytest's last line: how many passed, failed, were skipped."""
    found = re.findall(r"(\d+) (passed|failed|errors?|skipped|xfailed|xpassed)\b", said.splitlines()[-1])
    return {what: int(number) for number, what in found}
