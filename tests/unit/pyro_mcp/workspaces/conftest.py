"""A workspace without a machine."""

from collections.abc import Iterator

import pytest
from tests.unit.pyro_mcp.workspaces.pretended import Pretended, pretended


@pytest.fixture
def workspace() -> Iterator[Pretended]:
    """One on record, without secrets, on a host that promises nothing."""
    with pretended() as found:
        yield found
