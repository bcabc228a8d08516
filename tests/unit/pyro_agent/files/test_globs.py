"""Globs mean what they mean in editors and ripgrep."""

from __future__ import annotations

import pytest

from pyro_agent.files.globs import matcher
from pyro_wire.faults import FaultError


@pytest.mark.parametrize(
    ("glob", "path", "fits"),
    [
        ("*.py", "a.py", True),
        ("*.py", "deep/er/a.py", True),
        ("*.py", "a.pyc", False),
        ("src/*.py", "src/a.py", True),
        ("src/*.py", "src/deep/a.py", False),
        ("src/**/*.py", "src/a.py", True),
        ("src/**/*.py", "src/x/y/a.py", True),
        ("**/test_*", "test_a", True),
        ("**/test_*", "x/test_a", True),
        ("src/**", "src/x/y", True),
        ("*.{ts,tsx}", "a.tsx", True),
        ("*.{ts,tsx}", "a.js", False),
        ("a,b", "a,b", True),
        ("[ab]?.c", "b1.c", True),
        ("[!ab]1.c", "b1.c", False),
        ("[", "[", True),
        ("a.c", "abc", False),
        ("/top", "top", True),
        ("new\nline*", "new\nline", True),
    ],
)
def test_a_glob_fits_or_does_not(glob: str, path: str, fits: bool) -> None:
    assert matcher(glob)(path) is fits


def test_an_odd_brace_is_told() -> None:
    with pytest.raises(FaultError, match="odd brace"):
        matcher("*.{ts,tsx")
