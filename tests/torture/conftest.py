"""The long versions of the tests with faults: `make torture`, never CI. A run prints its seed, so that it can be repeated."""

from tests.ladder import *  # noqa: F403 - the fixtures
from tests.torture.settings import ROUNDS, SECONDS, SEED


def pytest_report_header() -> str:
    return f"torture: SEED={SEED} ROUNDS={ROUNDS} SECONDS={SECONDS:g}"
