"""What every tier of the tests shares."""

from pathlib import Path

import pytest

_ROOT = Path(__file__).parent
# Their tests start machines: they go to one worker, however many there are.
_ON_MACHINES = frozenset({"vm", "smoke", "pages"})


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        tier = item.path.relative_to(_ROOT).parts[0]
        item.add_marker(pytest.mark.xdist_group("machines" if tier in _ON_MACHINES else item.path.stem))
