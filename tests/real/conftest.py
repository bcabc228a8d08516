"""Real repositories and real history, from the package index: `make smoke-real-repositories`, beside CI."""

from tests.ladder import environment, home, nothing_left, pytest_runtest_makereport

__all__ = ["environment", "home", "nothing_left", "pytest_runtest_makereport"]
