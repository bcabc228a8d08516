"""What every tier of the tests shares."""

import pytest
from xdist.scheduler import LoadScopeScheduling

# Their tests start machines: all of them go to one worker, however many there are.
_ON_MACHINES = ("tests/vm/", "tests/smoke/", "tests/pages/")


class _Tiers(LoadScopeScheduling):  # type: ignore[misc] # it brings no types
    def _split_scope(self, nodeid: str) -> str:
        return "machines" if nodeid.startswith(_ON_MACHINES) else nodeid.partition("::")[0]


@pytest.hookimpl
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling:
    return _Tiers(config, log)
