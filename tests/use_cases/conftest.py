"""The five jobs on real machines, through each door: `make smoke-use-cases`, beside CI."""

from tests.ladder import environment, home, nothing_left, pytest_runtest_makereport

__all__ = ["environment", "home", "nothing_left", "pytest_runtest_makereport"]
