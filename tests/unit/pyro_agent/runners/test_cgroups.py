"""Bounds of commands, by the size of the machine."""

from __future__ import annotations

import pytest

from pyro_agent.runners.cgroups import memory_limit, oom_kills, process_limit


@pytest.mark.parametrize(("mib", "left"), [(64, 16), (192, 48), (896, 48), (65536, 48)])
def test_the_agent_and_the_kernel_keep_a_reserve(mib: int, left: int) -> None:
    assert memory_limit(mib * 1024) == (mib - left) << 20


@pytest.mark.parametrize(("mib", "processes"), [(32, 256), (512, 2048), (1024, 4096), (65536, 4096)])
def test_a_small_machine_runs_fewer_processes(mib: int, processes: int) -> None:
    assert process_limit(mib * 1024) == processes


def test_kills_for_want_of_memory_are_counted() -> None:
    assert oom_kills("low 0\nhigh 0\nmax 91\noom 2\noom_kill 3\noom_group_kill 0\n") == 3
    assert oom_kills("low 0\n") == oom_kills("") == 0
