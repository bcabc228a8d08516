from threading import Event

import pytest
from tests.doors import MemoryEngine

from pyro_mcp import HostUnfit, NotFound, Pyro
from pyro_mcp.mcp_server.builds import Build, Builds
from pyro_mcp.operations.catalogue import operation_named
from pyro_mcp.progress import step

RUN = operation_named("vm_run")
MISSING = {"environment": "debian:12-base"}


def test_what_is_there_is_not_built() -> None:
    engine = MemoryEngine()
    Builds(Pyro(engine=engine)).ready(RUN, {"environment": "debian:12"})
    Builds(Pyro(engine=engine)).ready(RUN, {"environment": "nobody:knows"})
    Builds(Pyro(engine=engine)).ready(operation_named("workspace_list"), MISSING)
    assert engine.prepared == []


def test_what_is_built_in_time_needs_no_asking_again() -> None:
    engine = MemoryEngine()
    Builds(Pyro(engine=engine)).ready(RUN, MISSING)
    assert engine.prepared == ["debian:12-base"]


def test_a_longer_build_is_begun_once_and_told_until_it_ends() -> None:
    may_end = Event()
    engine = MemoryEngine(meanwhile=lambda _: None if may_end.wait(20) else pytest.fail("nobody let it end"))
    builds = Builds(Pyro(engine=engine), wait_seconds=0.01)
    for _ in range(2):
        with pytest.raises(HostUnfit, match="is building") as told:
            builds.ready(RUN, MISSING)
        assert told.value.hint == "Ask again in 60 s, with the same arguments."
    may_end.set()
    builds._wait_seconds = 20
    builds.ready(RUN, MISSING)
    assert engine.prepared == ["debian:12-base"]


def test_a_build_that_fails_says_so_and_may_be_tried_again() -> None:
    engine = MemoryEngine(NotFound("the archive is gone"))
    builds = Builds(Pyro(engine=engine))
    for _ in range(2):
        with pytest.raises(NotFound, match="the archive is gone"):
            builds.ready(RUN, MISSING)
    assert engine.prepared == ["debian:12-base"] * 2


def test_how_long_it_takes_is_told_by_how_far_it_is() -> None:
    may_end, begun = Event(), Event()

    def build(_: object) -> None:
        with step("building", total=100) as building:
            building.began -= 30
            building.advance(50)
            begun.set()
            may_end.wait(20)

    slow = Build(Pyro(engine=MemoryEngine(meanwhile=build)), "x")
    assert begun.wait(20)
    assert slow.seconds_left() == pytest.approx(40, abs=10)
    may_end.set()
    assert slow.finished(20)
