"""Tests that only a real machine can pass. They go through pyro's own doors wherever a user could."""

from tests.ladder import (
    cold_home,
    environment,
    guest,
    home,
    machines,
    nothing_left,
    pyro,
    pytest_runtest_makereport,
    shop,
)

__all__ = [
    "cold_home",
    "environment",
    "guest",
    "home",
    "machines",
    "nothing_left",
    "pyro",
    "pytest_runtest_makereport",
    "shop",
]
