import time

import pytest

from pyro_mcp.workspaces.summary.runners import Counts, read_counts

# As the runners wrote them.
SAID = {
    "pytest": (
        "tests/test_a.py .F.x\n========== 1 failed, 12 passed, 2 skipped, 1 xfailed, 3 warnings in 0.52s ==========\n",
        Counts("pytest", 12, 1, 0, 3),
    ),
    "pytest -q": ("..\n2 passed in 0.01s\n", Counts("pytest", 2)),
    "pytest in colour": (
        "\x1b[31m===== \x1b[31m\x1b[1m1 failed\x1b[0m, \x1b[32m3 passed\x1b[0m, "
        "\x1b[31m\x1b[1m2 errors\x1b[0m\x1b[31m in 0.10s\x1b[0m ==\n",
        Counts("pytest", 3, 1, 2),
    ),
    "pytest, long": ("=== 5 passed in 95.02s (0:01:35) ===\n", Counts("pytest", 5)),
    "unittest": (
        "F.s\n----\nRan 6 tests in 0.003s\n\nFAILED (failures=1, errors=2, skipped=1)\n",
        Counts("unittest", 2, 1, 2, 1),
    ),
    "unittest, well": ("...\n----\nRan 3 tests in 0.000s\n\nOK\n", Counts("unittest", 3)),
    "cargo": (
        "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\n"
        "test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s\n",
        Counts("cargo", 7, 1, 0, 1),
    ),
    "jest": (
        "Test Suites: 1 failed, 1 passed, 2 total\nTests:       1 failed, 1 skipped, 4 passed, 6 total\nTime: 1 s\n",
        Counts("jest", 4, 1, 0, 1),
    ),
    "vitest": (" Test Files  1 passed (1)\n      Tests  2 failed | 3 passed (5)\n", Counts("jest", 3, 2)),
    "mocha": ("\n  5 passing (12ms)\n  1 pending\n  2 failing\n", Counts("mocha", 5, 2, 0, 1)),
    "node": (
        "ℹ tests 4\nℹ suites 0\nℹ pass 2\nℹ fail 1\nℹ cancelled 0\nℹ skipped 1\n",
        Counts("node", 2, 1, 0, 1),
    ),
    "go": ("ok  \texample.com/a\t0.012s\nFAIL\texample.com/b\t0.010s\nFAIL\n", Counts("go (packages)", 1, 1)),
    "go -v": (
        "--- PASS: TestA (0.00s)\n--- FAIL: TestB (0.00s)\n--- SKIP: TestC (0.00s)\nFAIL\nFAIL\texample.com/a\t0.004s\n",
        Counts("go", 1, 1, 0, 1),
    ),
    "maven": ("[ERROR] Tests run: 9, Failures: 1, Errors: 1, Skipped: 2\n", Counts("maven", 5, 1, 1, 2)),
    "ctest": ("67% tests passed, 1 tests failed out of 3\n", Counts("ctest", 2, 1)),
    "rspec": ("Finished in 0.1 seconds\n4 examples, 1 failure, 1 pending\n", Counts("rspec", 2, 1, 0, 1)),
    "tap": ("1..3\nok 1 - a\nnot ok 2 - b\nok 3 # SKIP no network\n", Counts("tap", 1, 1, 0, 1)),
}


@pytest.mark.parametrize("name", SAID)
def test_a_runners_counts_are_read(name: str) -> None:
    text, counts = SAID[name]
    assert read_counts("collecting ...\n" + text) == counts


@pytest.mark.parametrize(
    "text", ["", "3 files passed to the compiler in 2 steps\n", "tests passed\n", "make: *** Error 1\n"]
)
def test_other_text_has_none(text: str) -> None:
    assert read_counts(text) is None


@pytest.mark.parametrize("piece", ["1", "\n", "Tests: ", "1 passed, ", " ", "ok 1", "1 passed"])
def test_no_text_takes_long(piece: str) -> None:
    began = time.process_time()
    read_counts("Tests: " + piece * ((32 << 10) // len(piece)))
    assert time.process_time() - began < 2  # milliseconds; a quadratic expression takes minutes
