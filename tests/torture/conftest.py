"""The long versions of the tests with faults: `make torture`, never CI. A run prints its seed, so that it can be repeated."""

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
from tests.torture.settings import ROUNDS, SECONDS, SEED

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


def pytest_report_header() -> str:
    return f"torture: SEED={SEED} ROUNDS={ROUNDS} SECONDS={SECONDS:g}"
