"""The pages on real machines: the README in `make test`, all of them in `make smoke-docs`."""

from tests.ladder import environment, home, nothing_left, pytest_runtest_makereport

__all__ = ["environment", "home", "nothing_left", "pytest_runtest_makereport"]
