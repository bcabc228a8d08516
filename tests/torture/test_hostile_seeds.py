"""Archives of a few megabytes that stand for a million files: refused, or right in a machine, in bounded memory."""

import json
import sys
from pathlib import Path

import pytest
from tests.ladder import PyroProgram
from tests.manifold import Ran, archive_of, ran

# Half a kilobyte for each entry that is kept, and as much again for what is made of them.
_MOST_MIB = 768
_KEPT = 450_000

pytestmark = pytest.mark.timeout(900)


def _create(archive: Path) -> Ran:
    words = [sys.executable, "-m", "pyro_mcp", "workspace", "create", "-q", "--json"]
    done = ran(*words, "--seed-path", str(archive))
    assert done.peak_mib < _MOST_MIB
    return done


def test_a_million_entries_are_refused(environment: object, tmp_path: Path) -> None:
    archive = tmp_path / "seed.tar.gz"
    archive_of(archive, 1_000_001)
    refused = _create(archive)
    assert refused.status == 9, refused.err
    assert json.loads(refused.out)["error"]["code"] == "limit_reached"
    assert "entries" in json.loads(refused.out)["error"]["message"]


def test_as_many_entries_as_are_taken_are_right_in_a_machine(pyro: PyroProgram, tmp_path: Path) -> None:
    archive = tmp_path / "seed.tar.gz"
    archive_of(archive, _KEPT)
    made = _create(archive)
    assert made.status == 0, made.err
    name = json.loads(made.out)["workspace_id"]
    try:
        counted = pyro(
            "workspace",
            "exec",
            name,
            "-q",
            "--",
            "sh",
            "-c",
            "ls | wc -l; ls 00000449 | tail -n 1; ls -f | wc -l",
        )
        assert counted.stdout.split() == [b"450", b"00449999", b"452"]
        found = pyro("workspace", "exec", name, "-q", "--", "sh", "-c", "find . -type f | wc -l")
        assert found.stdout.strip() == str(_KEPT).encode()
        diff = pyro("workspace", "diff", name, "--json")
        assert json.loads(diff.stdout)["files"] == []
    finally:
        pyro("workspace", "delete", name, "-q")
