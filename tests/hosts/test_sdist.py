"""The repair of a real project: more-itertools as the package index has it, with a bug put in. Run by `make smoke-hosts`.

It needs the network, and half a minute for 641 tests in an emulated machine; `make test` has tests/smoke/test_core_loop.py.
"""

import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
from tests.loop import MOST_CALLS, Counting, play
from tests.opened import git

_RELEASE = (
    "more-itertools==10.5.0 --hash=sha256:5482bfef7849c25dc3c6dd53a6173ae4795da2a41a80faea6700d9f5846c5da6"
)
_FILE = "more_itertools/more.py"
_RIGHT = "        index //= n\n\n    return tuple(reversed(result))\n\n\ndef nth_permutation("
_WRONG = _RIGHT.replace("//=", "/=")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A checkout with the bug in it."""
    (tmp_path / "requirements.txt").write_text(_RELEASE)
    uv = shutil.which("uv") or str(Path(__file__).parents[2] / ".tools" / "uv" / "bin" / "uv")
    pip = [uv, "tool", "run", "--quiet", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
    subprocess.run([*pip, "-r", "requirements.txt"], cwd=tmp_path, check=True)
    with tarfile.open(next(tmp_path.glob("more*.tar.gz"))) as archive:
        archive.extractall(tmp_path, filter="data")
    root = next(found for found in tmp_path.iterdir() if found.is_dir())
    text = (root / _FILE).read_text()
    assert text.count(_RIGHT) == 1
    (root / _FILE).write_text(text.replace(_RIGHT, _WRONG))
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "10.5.0")
    return root


@pytest.mark.timeout(400)
def test_a_real_project_is_repaired_in_few_calls(project: Path) -> None:
    async def repair(call: Counting) -> None:
        name = f"more-{os.getpid()}"
        ws = {"workspace": name}
        whole = ["python3", "-m", "unittest", "tests.test_more"]
        await call("workspace_create", name=name, seed_path=".")
        failing = await call.execute(name, whole)
        assert failing.data["exit_code"] == 1
        assert "NthProductTests" in failing.text
        found = await call("workspace_file_search", **ws, pattern="def nth_product", glob="**/*.py")
        line = int(found.data["matches"][0]["line"])
        shown = await call("workspace_file_read", **ws, path=_FILE, start_line=line, end_line=line + 30)
        assert "index /= n" in shown.text
        edits = [{"old": _WRONG, "new": _RIGHT}]
        await call("workspace_file_edit", **ws, path=_FILE, edits=edits)
        assert (await call.execute(name, [*whole[:-1], "tests.test_more.NthProductTests"])).data[
            "exit_code"
        ] == 0
        assert (await call.execute(name, whole)).data["exit_code"] == 0
        changed = await call("workspace_diff", **ws)
        assert [file["path"] for file in changed.data["files"]] == [_FILE]
        await call("workspace_export", **ws, format="patch", output_path="fix.patch")
        await call("workspace_reset", **ws)
        await call("workspace_delete", **ws)

    counted = play(repair, host_root=project, variables=os.environ)
    assert len(counted.calls) <= MOST_CALLS
    git(project, "apply", "fix.patch")
    assert _RIGHT in (project / _FILE).read_text()
