"""Summaries and comparisons of what was really done on machines."""

from pathlib import Path

import pytest
from tests.opened import outliving

from pyro_mcp import NotFound, Pyro
from pyro_mcp.models.edit import Edit

pytestmark = [outliving, pytest.mark.usefixtures("environment", "home")]
_RUN_TESTS = "python3 -B -m unittest -q"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    seed = tmp_path / "project"
    seed.mkdir()
    (seed / "calc.py").write_text("def add(a, b):\n    return a - b\n")
    (seed / "test_calc.py").write_text(
        "import unittest\nfrom calc import add\n\n\nclass Adding(unittest.TestCase):\n"
        "    def test_two(self):\n        self.assertEqual(add(1, 1), 2)\n\n"
        "    def test_none(self):\n        self.assertEqual(add(0, 0), 0)\n"
    )
    return seed


def test_a_summary_tells_what_happened_and_a_comparison_which_attempt_cheated(project: Path) -> None:
    pyro = Pyro()
    with pyro.workspace.create(seed_path=project, name="honest") as honest:
        honest.exec(_RUN_TESTS)
        (fork,) = pyro.workspace.fork("honest", names=["cheat"], from_snapshot="baseline")
        assert fork.workspace is not None
        try:
            honest.file.edit("calc.py", [Edit("a - b", "a + b")])
            honest.exec(_RUN_TESTS)
            pyro.workspace.exec("cheat", "sed -i '/def test_two/,/1, 1/d' test_calc.py && " + _RUN_TESTS)

            summary = honest.summary()
            assert [(file.path, file.kind, file.status) for file in summary.files] == [
                ("calc.py", "source", "modified")
            ]
            assert summary.tests_before is not None
            assert summary.tests_after is not None
            assert (summary.tests_before.passed, summary.tests_before.failed) == (1, 1)
            assert (summary.tests_after.passed, summary.tests_after.failed) == (2, 0)
            assert (summary.commands_run, summary.commands_failed) == (2, 1)
            assert summary.failed[0].command == _RUN_TESTS
            assert summary.findings == ()

            compared = pyro.workspace.compare(["honest", "cheat"])
            first, second = compared.attempts
            assert (first.workspace, first.files, first.findings) == ("honest", 1, ())
            assert second.tests is not None
            assert (second.tests.passed, second.tests.failed) == (1, 0)
            assert {finding.reason for finding in second.findings} == {"tests-removed", "assertions-removed"}
            assert {file.path for file in compared.files} == {"calc.py", "test_calc.py"}

            honest.reset()
            assert (honest.summary().files, honest.summary().commands_run) == ((), 0)
        finally:
            pyro.workspace.delete("cheat")
    with pytest.raises(NotFound):
        pyro.workspace.compare(["honest", "cheat"])
