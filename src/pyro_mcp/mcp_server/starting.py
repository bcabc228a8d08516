"""Start fast: run the mcp package's roomier parts when something of them is asked for.

`import mcp` brings the client, a second server framework, an HTTP client and a web server: a third of our start, of which
standard input and output need nothing. Their `__init__` files are run at the first look at a name of theirs instead, so that
whoever asks finds what is always there.
"""

import sys
from importlib.util import find_spec, module_from_spec
from types import ModuleType

# Each only gathers names from its submodules, which we import by their own.
_GATHERERS = ("mcp", "mcp.server")


class _PutOff(ModuleType):
    """A package whose `__init__` has not run."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("__") or self.__spec__ is None or self.__spec__.loader is None:
            raise AttributeError(name)
        self.__class__ = ModuleType  # type: ignore[assignment]  # now a module like any other
        self.__spec__.loader.exec_module(self)
        return getattr(self, name)


def put_off_what_stdio_does_without() -> None:
    """Call it before anything imports mcp; for a process that only serves standard input and output."""
    for name in _GATHERERS:
        if name not in sys.modules and (spec := find_spec(name)) is not None:
            module = module_from_spec(spec)
            module.__class__ = _PutOff
            sys.modules[name] = module
            parent, _, last = name.rpartition(".")
            if parent:
                setattr(sys.modules[parent], last, module)
    # Imported by sse_starlette to be told of a web server's end; it does without where there is none.
    sys.modules.setdefault("uvicorn.main", None)  # type: ignore[arg-type]  # how Python marks what cannot be imported
