"""Import a module when something of it is first used: declaring an operation must not cost what carrying it out does."""

from importlib import import_module
from types import ModuleType


class _Lazy(ModuleType):
    def __getattr__(self, name: str) -> object:
        return getattr(import_module(self.__name__), name)


def lazily(name: str) -> ModuleType:
    """Give something that stands for the module called `name`. Type checkers are shown the real import instead."""
    return _Lazy(name)
