import pytest

from pyro_mcp.host.interruption import Interruption, interruptible
from pyro_mcp.workspaces.machines.command import Wishes

DETACH = {"detach": True}
SIGNAL = {"signal": "INT"}


def _interrupt(interruption: Interruption) -> None:
    interruption.request()


def _kill(interruption: Interruption) -> None:
    interruption.request(kill=True)


@pytest.mark.parametrize(
    ("kind", "wish", "said"),
    [
        ({}, _interrupt, SIGNAL),
        ({}, _kill, None),
        ({}, Interruption.leave, None),
        ({"lasting": True}, Interruption.leave, DETACH),
        ({"lasting": True}, _kill, None),
        ({"waits": True}, _kill, DETACH),
        ({"waits": True}, Interruption.leave, DETACH),
    ],
)
def test_a_wish_becomes_what_the_keeper_is_told(kind: dict[str, bool], wish: object, said: object) -> None:
    with interruptible() as interruption:
        wish(interruption)  # type: ignore[operator]
        assert Wishes(interruption, **kind).take() == said
