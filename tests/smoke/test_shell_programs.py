"""What people do in a terminal all day, live and with the network: installing packages with progress bars, tests by npm."""

import os
from collections.abc import Iterator

import pytest
from tests.typist import Typist

from pyro_mcp import Pyro, Workspace

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        "PYRO_LONG_TESTS" not in os.environ,
        reason="npm under emulation takes a minute; set PYRO_LONG_TESTS=1",
    ),
]
_PACKAGE = """{"name": "sums", "version": "1.0.0", "scripts": {"test": "node --test"}}"""
_TESTS = """
const { test } = require("node:test");
const assert = require("node:assert");
test("adds", () => assert.strictEqual(1 + 1, 2));
test("does not add", () => assert.strictEqual(1 + 1, 3));
"""


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Pyro().workspace.create("debian:12-build", network_policy="egress") as made:
        yield made


def test_shell_pip_with_its_progress_bar(workspace: Workspace) -> None:
    shell = Typist(workspace, cols=100, rows=30)
    assert (
        shell.do("python3 -m venv v && . v/bin/activate", wait_for_prompt=True, timeout_seconds=200).exit_code
        == 0
    )
    done = shell.do(
        "pip install --disable-pip-version-check pygments", wait_for_prompt=True, timeout_seconds=300
    )
    assert (done.state, done.exit_code) == ("prompt", 0), done.text
    bars = [line for line in done.text.splitlines() if "\u2501" in line]
    assert len(bars) == 1, done.text  # each state of it was drawn over the one before
    assert "MB/s" in bars[0]
    assert "eta 0:00:00" in bars[0]
    assert "Successfully installed pygments" in done.text
    assert done.text.splitlines()[-1].startswith("(v) root@")


def test_shell_npm_install_and_test(workspace: Workspace) -> None:
    workspace.file.write("package.json", _PACKAGE)
    workspace.file.write("sums.test.js", _TESTS)
    shell = Typist(workspace, cols=100, rows=30)
    done = shell.do("npm install is-odd", wait_for_prompt=True, timeout_seconds=400)
    assert (done.state, done.exit_code) == ("prompt", 0), done.text
    assert "added " in done.text
    assert not any(letter in done.text for letter in "\u280b\u2819\u2839\u2838"), done.text  # its spinner
    ran = shell.do("npm test", wait_for_prompt=True, timeout_seconds=200)
    assert (ran.state, ran.exit_code) == ("prompt", 1), ran.text
    assert "pass 1" in ran.text
    assert "fail 1" in ran.text
    assert "does not add" in ran.text
    shell.sees_what_a_person_sees()
