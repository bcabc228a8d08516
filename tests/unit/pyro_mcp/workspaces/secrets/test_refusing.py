"""Diffs and exports that would take a secret along."""

import base64

import pytest

from pyro_mcp.errors import PolicyDenied
from pyro_mcp.redaction import Redactor
from pyro_mcp.workspaces.diff.entries import Change, Entry
from pyro_mcp.workspaces.diff.report import diff_trees
from pyro_mcp.workspaces.secrets.refusing import Found, refuse_secrets, secrets_in

TOKEN = b"t0ken-of-the-test"
KEY = b"first line of the key\nsecond one\n"
FILLER = b"".join(b"line %d\n" % number for number in range(40))


def found(old: bytes | None, new: bytes | None) -> Found:
    """What is found in a change of one file."""
    sides = [None if side is None else Entry("regular", side) for side in (old, new)]
    changes = [Change(b"dir/file", *sides)]
    return secrets_in(Redactor({"TOKEN": TOKEN, "KEY": KEY}), diff_trees(changes), changes)


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        (None, b"a = " + TOKEN, ("TOKEN",)),
        (b"a = " + TOKEN, None, ("TOKEN",)),
        (b"a\n", b"a\n" + KEY, ("KEY",)),
        (b"a\n", b"a\n" + base64.b64encode(b"x:" + TOKEN) + b"\n", ("TOKEN",)),
        (b"\0bin", b"\0bin" + KEY + TOKEN, ("KEY", "TOKEN")),
        (b"a\n", b"b\n", ()),
        # What the patch does not show is not given out.
        (TOKEN + b"\n" + FILLER + b"a\n", TOKEN + b"\n" + FILLER + b"b\n", ()),
    ],
)
def test_what_a_patch_would_show(old: bytes | None, new: bytes | None, names: tuple[str, ...]) -> None:
    assert found(old, new) == ({b"dir/file": names} if names else {})


def test_path_and_secret_are_named() -> None:
    with pytest.raises(PolicyDenied, match="one path holds a secret") as refused:
        refuse_secrets({b"dir/file": ("KEY", "TOKEN"), b"clean": ()})
    assert refused.value.details == "dir/file: KEY, TOKEN"


@pytest.mark.parametrize("allowed", [["dir/file"], ["dir"], ["."], ["dir/"]])
def test_a_path_that_is_allowed_may_go(allowed: list[str]) -> None:
    refuse_secrets({b"dir/file": ("KEY",)}, allowed=[name.replace(".", "") for name in allowed])


def test_another_path_that_is_allowed_changes_nothing() -> None:
    with pytest.raises(PolicyDenied, match="2 paths hold"):
        refuse_secrets({b"dir/file": ("KEY",), b"b": ("KEY",), b"c": ("KEY",)}, allowed=["b", "dir/fil"])
