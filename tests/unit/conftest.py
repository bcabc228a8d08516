"""Unit tests touch no file of the user's: pyro's four directories are in the test's own temporary directory."""

from pathlib import Path

import pytest
from hypothesis import settings

# A deadline would measure how busy the host is, not the code; pytest-timeout ends what hangs.
settings.register_profile("pyro", deadline=None)
settings.load_profile("pyro")


@pytest.fixture(autouse=True)
def pyro_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory that PYRO_HOME names during the test."""
    home = tmp_path / "pyro-home"
    monkeypatch.setenv("PYRO_HOME", str(home))
    for name in ("PYRO_REQUIRE_ISOLATION", "PYRO_REQUIRE_CONFINEMENT"):
        monkeypatch.delenv(name, raising=False)
    return home
