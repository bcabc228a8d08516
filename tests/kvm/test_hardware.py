"""pyro on a host whose KVM works: an emulated one, so this proves function and never speed. Run by `make smoke-kvm`."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from tests.kvm.host import Answer, ask_inside


@pytest.fixture(scope="module")
def answers() -> dict[str, Answer]:
    with TemporaryDirectory(prefix="pyro-kvm-") as work:  # 400 MB, which pytest would keep three times
        found, console = ask_inside(Path(work))
    print(console)  # shown when a test fails
    return found


@pytest.mark.timeout(1200)
def test_the_probe_finds_kvm_working(answers: dict[str, Answer]) -> None:
    found = answers["doctor"].json()
    assert answers["doctor"].status == 0
    assert (found["isolation"], found["confinement"]) == ("hardware", "full")


@pytest.mark.timeout(1200)
@pytest.mark.parametrize(("run", "said"), [("run", "git version"), ("again", "cloud-amd64")])
def test_a_command_answers_from_hardware_isolation(answers: dict[str, Answer], run: str, said: str) -> None:
    assert answers[run].status == 0
    found = answers[run].json()
    assert (found["isolation"], found["confinement"], found["exit_code"]) == ("hardware", "full", 0)
    assert said in str(found["stdout"])
