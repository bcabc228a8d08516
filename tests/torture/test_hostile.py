"""Every attack on the line, for long; by clients that listen and by one that does not."""

from pathlib import Path

import pytest
from tests.hostile import ATTACKS, KEEPER_MIB, Attack, Victim, attacked, named
from tests.torture.settings import SECONDS, SEED

from pyro_mcp import PyroError

pytestmark = pytest.mark.timeout(60 + 4 * SECONDS)


def _kept(directory: Path) -> dict[str, object]:
    return {
        "verb": "keeper.exec",
        "exec_id": "x",
        "directory": str(directory / "output"),
        "request": {},
        "follow": True,
    }


@pytest.mark.parametrize("attack", ATTACKS, ids=named)
@pytest.mark.parametrize("kept", [False, True], ids=["passed on", "kept"])
def test_an_attack(tmp_path: Path, attack: Attack, kept: bool) -> None:
    with attacked(tmp_path, attack, seed=SEED, seconds=SECONDS) as keeper:
        assert isinstance(keeper.ask(_kept(tmp_path) if kept else {"verb": "ping"}, SECONDS), PyroError)
        _has_borne_it(keeper)


@pytest.mark.parametrize("attack", ATTACKS, ids=named)
def test_an_attack_while_the_client_reads_nothing(tmp_path: Path, attack: Attack) -> None:
    with attacked(tmp_path, attack, seed=SEED, seconds=SECONDS) as keeper:
        with keeper.ask_and_not_listen({"verb": "ping"}), pytest.raises(PyroError):
            # Another client, in time or not: it waits as long as the attack lasts.
            raise _as_error(keeper.ask({"verb": "ping"}, SECONDS))
        _has_borne_it(keeper)


def _as_error(said: object) -> PyroError:
    assert isinstance(said, PyroError), said
    return said


def _has_borne_it(keeper: Victim) -> None:
    assert keeper.peak_mib() < KEEPER_MIB
    keeper.process.terminate()
    assert keeper.process.stderr is not None
    assert b"Traceback" not in keeper.process.stderr.read()
