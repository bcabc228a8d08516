"""The secrets of a workspace, by the names on record."""

import pytest
from tests.unit.pyro_mcp.workspaces.pretended import pretended

from pyro_mcp.errors import HostUnfit

_GIVEN = {"TOKEN": b"a value that is long", "KEY": b"another that is long"}


def test_the_values_are_those_it_was_made_with() -> None:
    with pretended(given=_GIVEN) as workspace:
        known = workspace.sessions.secrets
        assert known.values(workspace.id) == _GIVEN
        assert "a value" not in known.redactor(workspace.id).text("it said a value that is long")


def test_two_texts_are_redacted_apart() -> None:
    with pretended(given=_GIVEN) as workspace:
        first, second = (workspace.sessions.secrets.redactor(workspace.id) for _ in range(2))
        assert first.feed(b"a value that ") == b""
        assert second.feed(b"is long\n") + second.finish() == b"is long\n"


def test_a_value_that_is_lost_is_never_passed_over() -> None:
    with pretended(given=_GIVEN) as workspace:
        (workspace.sessions.directories.of(workspace.id) / "secrets" / "KEY").unlink()
        with pytest.raises(HostUnfit, match="cannot be read"):
            workspace.sessions.secrets.redactor(workspace.id)
