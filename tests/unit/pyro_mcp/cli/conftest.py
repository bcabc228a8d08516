"""The command line over an engine in memory."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import cast

import pytest
from tests.doors import MemoryEngine

from pyro_mcp.workspaces.session import Sessions

UseEngine = Callable[[MemoryEngine], MemoryEngine]


@pytest.fixture
def use_engine(monkeypatch: pytest.MonkeyPatch) -> UseEngine:
    """Put an engine where the command line makes its own."""

    def use(engine: MemoryEngine) -> MemoryEngine:
        monkeypatch.setattr("pyro_mcp.workspaces.engine.Engine", lambda **_: engine)
        return engine

    return use


class _NamesOnly:
    """Workspaces that are found whatever they are called; nothing can be done with them."""

    @contextmanager
    def using(self, reference: str, kind: str, **data: object) -> Iterator[str]:
        yield reference


class _WorkspaceEngine(MemoryEngine):
    sessions = cast(Sessions, _NamesOnly())


@dataclass
class Asked:
    """Stands where a command's work is done: keeps what it was asked, and gives the answer."""

    answer: object
    arguments: list[object] = field(default_factory=list)
    options: dict[str, object] = field(default_factory=dict)

    def __call__(self, *arguments: object, **options: object) -> object:
        self.arguments, self.options = list(arguments), options
        return self.answer


AskInstead = Callable[[str, object], Asked]


@pytest.fixture
def ask_instead(use_engine: UseEngine, monkeypatch: pytest.MonkeyPatch) -> AskInstead:
    """Have a function of pyro_mcp.workspaces, named `module.function`, answer without a machine."""

    def replace(place: str, answer: object) -> Asked:
        use_engine(_WorkspaceEngine())
        asked = Asked(answer)
        monkeypatch.setattr(f"pyro_mcp.workspaces.{place}", asked)
        return asked

    return replace
