"""What a search found is named as the next call can take it."""

import pytest

from pyro_mcp.workspaces.files.reading import named_from


@pytest.mark.parametrize(
    ("place", "below", "named"),
    [
        ("/workspace", "src/a.py", "src/a.py"),
        ("", "a.py", "a.py"),
        (".", "a.py", "a.py"),
        ("src/", "a.py", "src/a.py"),
        ("/workspace/src", "b/a.py", "src/b/a.py"),
        ("./src/a.py", "", "src/a.py"),
        ("/etc", "hosts", "/etc/hosts"),
        ("/", "etc/hosts", "/etc/hosts"),
        ("/workspaces", "a", "/workspaces/a"),
    ],
)
def test_a_match_is_named_with_the_place_that_was_searched(place: str, below: str, named: str) -> None:
    assert named_from(place, below) == named
