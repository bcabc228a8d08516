"""Places for pyro to work in while it is measured: apart from the user's machines, beside the user's cache."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from pyro_mcp.environments.store import EnvironmentStore
from pyro_mcp.host.paths import Paths

DEBIAN = "debian:12"
_PREFIX = "pyro-bench-"


@contextmanager
def warm_home() -> Iterator[Paths]:
    """Give a home whose cache is the user's: environments, kit and templates are there, or are made once."""
    cache = Paths.from_environment().cache
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _home() as found:
        (found / "cache").symlink_to(cache)
        yield Paths.from_environment()


@contextmanager
def cold_home(cache: Path) -> Iterator[Paths]:
    """Give a home with environment and kit of that cache but nothing frozen: what is measured is the freezing."""
    environment = EnvironmentStore(Paths.from_environment()).ensure(DEBIAN)
    with _home() as found:
        images = found / "cache/environments"
        images.mkdir(mode=0o700, parents=True)
        for part in ("kits", "ramdisks", "host"):
            (found / "cache" / part).symlink_to((cache / part).resolve())
        (images / environment.digest).symlink_to((cache / "environments" / environment.digest).resolve())
        shutil.copytree(cache / "environments/keys", images / "keys")
        yield Paths.from_environment()


@contextmanager
def _home() -> Iterator[Path]:
    before = os.environ.get("PYRO_HOME")
    # Short: sockets' names have 107 bytes.
    with TemporaryDirectory(prefix=_PREFIX, dir="/tmp") as name:
        os.environ["PYRO_HOME"] = name
        try:
            yield Path(name)
        finally:
            if before is None:
                del os.environ["PYRO_HOME"]
            else:
                os.environ["PYRO_HOME"] = before
