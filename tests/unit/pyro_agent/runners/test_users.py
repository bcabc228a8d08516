"""Users are found in the workspace's own files, however odd these are."""

from __future__ import annotations

import pytest

from pyro_agent.runners.users import ROOT, User, find_user
from pyro_wire.faults import FaultError

PASSWD = "root:x:0:0:root:/root:/bin/sh\nbroken\nbad:x:one:1::/:\ndev:x:1000:1000:Dev:/home/dev:/bin/sh\nnohome:x:5:5:::\n"
GROUP = "root:x:0:\ndev:x:1000:\nsudo:x:27:other,dev\nbroken:x:no:dev\ndocker:x:99:dev\n"


def test_by_name_and_by_number() -> None:
    dev = User("dev", 1000, 1000, "/home/dev", (27, 99, 1000))
    assert find_user("dev", PASSWD, GROUP) == dev
    assert find_user("1000", PASSWD, GROUP) == dev


def test_a_user_without_a_home_works_at_the_root() -> None:
    assert find_user("nohome", PASSWD, GROUP).home == "/"


def test_root_needs_no_files() -> None:
    assert find_user("root", "", "") == find_user("0", "", "") == ROOT


def test_an_unlisted_number_is_a_user_too() -> None:
    assert find_user("1234", "", "") == User("1234", 1234, 1234, "/", ())


def test_a_group_may_be_named_with_the_user() -> None:
    assert find_user("dev:docker", PASSWD, GROUP) == User("dev", 1000, 99, "/home/dev", (99,))
    assert find_user("7:8", "", "") == User("7", 7, 8, "/", (8,))


@pytest.mark.parametrize(
    "name",
    [
        "nobody-here",
        "bad",
        "",
        "-1",
        "\u0661",
        "4294967295",
        "9" * 5000,
        "dev:",
        "dev:none",
        "dev:4294967295",
    ],
)
def test_an_unknown_name_is_the_callers_mistake(name: str) -> None:
    with pytest.raises(FaultError) as caught:
        find_user(name, PASSWD, GROUP)
    assert caught.value.fault.code == "invalid_request"
