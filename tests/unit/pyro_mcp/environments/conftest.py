import pytest
from tests.unit.pyro_mcp.environments.builders import Builders


@pytest.fixture
def builders(monkeypatch: pytest.MonkeyPatch) -> Builders:
    """Builders that need no archive, installed in place of the real ones."""
    return Builders(monkeypatch)
