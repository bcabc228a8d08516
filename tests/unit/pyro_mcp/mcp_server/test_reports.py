from typing import cast

import anyio
import anyio.to_thread
from mcp.server.session import ServerSession

from pyro_mcp.mcp_server.reports import Reports
from pyro_mcp.progress import listening, step


class Session:
    def __init__(self) -> None:
        self.sent: list[tuple[float, str | None]] = []

    async def report_progress(
        self, progress: float, total: float | None = None, message: str | None = None
    ) -> None:
        self.sent.append((progress, message))


def _work(reports: Reports) -> None:
    with listening(reports), step("building debian:12", total=300, unit="packages") as building:
        for _ in range(100):
            building.advance(1)
        with step("packing"):
            pass


def test_steps_become_growing_notifications_and_a_flood_of_changes_does_not() -> None:
    async def scenario() -> Session:
        session = Session()
        with Reports() as reports:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(reports.forward, cast("ServerSession", session))
                await anyio.to_thread.run_sync(_work, reports)
                reports.end()
        return session

    sent = anyio.run(scenario).sent
    assert sent[0] == (1, "building debian:12")
    assert "packing" in [message for _, message in sent]
    assert [number for number, _ in sent] == list(range(1, len(sent) + 1))
    assert len(sent) < 10


def test_saying_after_the_end_hurts_nobody() -> None:
    async def scenario() -> None:
        with Reports() as reports:
            pass
        await anyio.to_thread.run_sync(_work, reports)

    anyio.run(scenario)
