"""kill -9 of client, keeper and QEMU at many moments of all that changes a workspace: nothing acknowledged is lost."""

from pathlib import Path

import pytest
from tests.killing import VICTIMS, kill_during
from tests.torture.settings import ROUNDS, chance
from tests.worker import WORKS

from pyro_mcp.environments.values import Environment

_EACH = max(1, ROUNDS // (len(WORKS) * len(VICTIMS)))


@pytest.mark.parametrize("number", range(_EACH))
@pytest.mark.parametrize("victim", VICTIMS)
@pytest.mark.parametrize("work", WORKS)
def test_a_kill(environment: Environment, home: Path, work: str, victim: str, number: int) -> None:
    kill_during(work, victim, home, chance(work, victim, number))
