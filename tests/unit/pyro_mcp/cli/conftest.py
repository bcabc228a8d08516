"""The command line over an engine in memory."""

from collections.abc import Callable

import pytest
from tests.doors import MemoryEngine

UseEngine = Callable[[MemoryEngine], MemoryEngine]


@pytest.fixture
def use_engine(monkeypatch: pytest.MonkeyPatch) -> UseEngine:
    """Put an engine where the command line makes its own."""

    def use(engine: MemoryEngine) -> MemoryEngine:
        monkeypatch.setattr("pyro_mcp.workspaces.engine.Engine", lambda **_: engine)
        return engine

    return use
