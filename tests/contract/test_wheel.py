"""The wheel has every file that the sources have: one published without its data starts nothing."""

import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built as it would be for a release."""
    uv = shutil.which("uv") or str(_ROOT / ".tools/uv/bin/uv")
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run([uv, "build", "--quiet", "--wheel", "--out-dir", out, _ROOT], check=True)
    return zipfile.ZipFile(next(out.glob("*.whl")))


def test_every_source_and_data_file_is_in_it(wheel: zipfile.ZipFile) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "src"], cwd=_ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    wanted = {name.removeprefix("src/") for name in listed if (_ROOT / name).exists()}
    assert {name.partition("/")[0] for name in wanted} == {"pyro_mcp", "pyro_agent", "pyro_wire"}
    assert wanted - set(wheel.namelist()) == set()


def test_its_command_is_pyro(wheel: zipfile.ZipFile) -> None:
    entry = next(name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    assert "pyro = pyro_mcp.cli.main:main" in wheel.read(entry).decode()
