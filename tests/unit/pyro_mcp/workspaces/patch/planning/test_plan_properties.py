"""Random trees and changes: what git writes we apply, what git applies we write, and nothing but InvalidRequest comes of noise.

PYRO_LONG_TESTS=1 tries a hundred times as many.
"""

import os
import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.pyro_mcp.workspaces.trees import (
    Git,
    Tree,
    changes_between,
    patched,
    random_change,
    random_tree,
)

from pyro_mcp.errors import Conflict, InvalidRequest
from pyro_mcp.workspaces.diff import diff_trees

TIMES = 100 if os.environ.get("PYRO_LONG_TESTS") else 1
seeded = settings(max_examples=60 * TIMES, derandomize=True, deadline=None, database=None)
seeds = st.integers(0, 2**32)
OPTIONS = (
    ("-M",), ("-C", "--find-copies-harder"), ("-B",), ("--no-prefix",), ("-U0",), ("-U1", "--full-index"), ("--patch-with-stat",),
    ("--no-renames",), ("--src-prefix=old/", "--dst-prefix=new/"), ("-W",),
)  # fmt: skip
pytestmark = pytest.mark.timeout(60 * max(1, TIMES // 4))


@pytest.fixture(scope="module")
def git(tmp_path_factory: pytest.TempPathFactory) -> Git:
    return Git(tmp_path_factory.mktemp("git"))


def two_trees(seed: int) -> tuple[Tree, Tree]:
    rng = random.Random(seed)
    old = random_tree(rng)
    return old, random_change(rng, old)


@seeded
@given(seeds)
def test_git_applies_our_diff_and_gets_the_new_tree(git: Git, seed: int) -> None:
    old, new = two_trees(seed)
    patch = diff_trees(changes_between(old, new)).patch()
    if patch:
        assert git.apply(old, patch) == new
        assert patched(old, patch)[0] == new


@seeded
@given(seeds, st.sampled_from(OPTIONS))
def test_we_apply_gits_diff_and_get_the_new_tree(git: Git, seed: int, options: tuple[str, ...]) -> None:
    old, new = two_trees(seed)
    patch = git.diff(old, new, "--binary", *options)
    if patch:
        after, plan = patched(old, patch)
        if not plan.report.applicable:  # -B makes patches now and then that git itself refuses
            assert "-B" in options, plan.report
            with pytest.raises(AssertionError, match="already exists"):
                git.apply(old, patch)
            return
        assert after == new


@seeded
@given(seeds)
def test_stat_and_name_status_read_as_gits(git: Git, seed: int) -> None:
    old, new = two_trees(seed)
    diff = diff_trees(changes_between(old, new))
    theirs = git.diff(old, new, "--name-status", "-M").decode()
    if (
        sorted(diff.name_status().splitlines()) == sorted(theirs.splitlines())
        or "R" not in theirs + diff.name_status()
    ):
        assert diff.name_status() == theirs
        assert diff.stat() == git.diff(old, new, "--stat", "-M").decode()


def wrong_counts(rng: random.Random, patch: bytes) -> bytes:
    return re.sub(rb"(?m)^@@ -(\d+)(?:,\d+)?", lambda header: header.group() + b"0" * rng.randrange(2), patch)


def wrong_lines(rng: random.Random, patch: bytes) -> bytes:
    def shift(header: re.Match[bytes]) -> bytes:
        line = int(header.group(1))
        return b"@@ -%d" % (line + rng.randrange(-3, 4) if line > 4 else line)

    return re.sub(rb"(?m)^@@ -(\d+)", shift, patch)


def no_numbers(rng: random.Random, patch: bytes) -> bytes:
    return re.sub(rb"(?m)^@@ -.*\n", b"@@\n", patch)


def no_hashes(rng: random.Random, patch: bytes) -> bytes:
    return re.sub(rb"(?m)^index .*\n", b"", patch)


def bare_blank_lines(rng: random.Random, patch: bytes) -> bytes:
    return re.sub(rb"(?m)^ $", b"", patch)


def fenced(rng: random.Random, patch: bytes) -> bytes:
    return b"Here is the patch:\n\n```diff\n" + patch + b"```\n\n- done\n"


def among_prose(rng: random.Random, patch: bytes) -> bytes:
    return b"Here is the patch:\n\n" + patch + b"\nThis changes x.\n"


def cut_at_the_end(rng: random.Random, patch: bytes) -> bytes:
    return patch.removesuffix(b"\n")


MISTAKES: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    wrong_counts, wrong_lines, no_numbers, no_hashes, bare_blank_lines, fenced, among_prose, cut_at_the_end,
)  # fmt: skip


@seeded
@given(seeds, st.lists(st.sampled_from(MISTAKES), min_size=1, max_size=2, unique=True))
def test_a_patch_as_models_write_it_is_applied_right_or_refused(
    git: Git, seed: int, mistakes: list[Callable[[random.Random, bytes], bytes]]
) -> None:
    old, new = two_trees(seed)
    patch = git.diff(old, new, "--no-renames", "--binary")
    for mistake in sorted(mistakes, key=MISTAKES.index):
        patch = mistake(random.Random(seed), patch)
    try:
        after, plan = patched(old, patch)
    except InvalidRequest:
        return
    assert after == (new if plan.report.applicable else old)


def pieces() -> st.SearchStrategy[bytes]:
    """Make texts of lines that mean something in a patch, in any order."""
    lines = [
        b"diff --git a/x b/x",
        b"--- a/x",
        b"+++ b/x",
        b"@@ -1,2 +1,2 @@",
        b"@@",
        b" one",
        b"-two",
        b"+3",
        b"",
        b"*** Begin Patch",
        b"*** Update File: x",
        b"*** Add File: y",
        b"*** Delete File: x",
        b"*** Move to: z",
        b"*** End Patch",
        b"*** End of File",
        b"@@ def f",
        b"GIT binary patch",
        b"literal 5",
        b"delta 3",
        b"Mc$}",
        b"rename from x",
        b"rename to q",
        b"copy from x",
        b"copy to q",
        b"old mode 100644",
        b"new mode 120000",
        b"new file mode 100644",
        b"deleted file mode 100644",
        b"index 1234..5678",
        b"\\ No newline at end of file",
        b"```",
        b"-- ",
        b"Binary files a/x and b/x differ",
        b"+++ /dev/null",
        b'--- "a/\\400"',
        b"commit " + b"a" * 40,
        b"prose",
        b"\r",
        b"--- x\t1970-01-01 00:00:00",
        b"*** Add File: ../x",
        b"+++ b/.git/config",
    ]
    return st.lists(st.sampled_from(lines) | st.binary(max_size=20), max_size=30).map(b"\n".join)


@settings(seeded, max_examples=300 * TIMES)
@given(st.binary(max_size=300) | pieces())
def test_noise_is_refused_as_an_invalid_request_and_nothing_else(noise: bytes) -> None:
    tree: Tree = {b"x": ("regular", b"one\ntwo\n"), b"l": ("symlink", b"x")}
    try:
        after, plan = patched(tree, noise)
    except InvalidRequest:
        return
    if not plan.report.applicable:
        assert after == tree
        with pytest.raises(Conflict):
            plan.require_applicable()


def test_a_long_patch_of_one_file_is_read_in_linear_time(tmp_path: Path) -> None:
    old: Tree = {b"x": ("regular", b"same\n" * 100_000)}
    patch = b"--- a/x\n+++ b/x\n@@ -9999999,999 +1,999 @@\n" + b" same\n" * 50_000 + b"+new\n"
    after, plan = patched(old, patch)
    assert after == old
    (hunk,) = plan.report.files[0].hunks
    assert hunk.reason
    assert "times, none where the patch says" in hunk.reason
