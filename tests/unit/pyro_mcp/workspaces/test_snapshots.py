import pytest
from tests.unit.pyro_mcp.workspaces.pretended import pretended

from pyro_mcp.errors import InvalidRequest
from pyro_mcp.models.workspace import ForkOutcome
from pyro_mcp.workspaces import snapshots


@pytest.mark.parametrize(
    ("count", "names", "made"),
    [(None, ["a", "b"], ["a", "b"]), (None, [], [None]), (3, ["a"], ["a", None, None])],
)
def test_there_is_a_fork_for_each_name(
    monkeypatch: pytest.MonkeyPatch, count: int | None, names: list[str], made: list[str | None]
) -> None:
    asked: list[str | None] = []

    def fork(_: object, __: object, name: str | None, *___: object) -> ForkOutcome:
        asked.append(name)
        return ForkOutcome(workspace=None)

    monkeypatch.setattr(snapshots, "_ground", lambda *_: "layer")
    monkeypatch.setattr(snapshots, "_fork", fork)
    with pretended() as workspace:
        snapshots.fork_workspace(
            workspace.sessions, workspace.id, count=count, names=names, from_snapshot=None
        )
        assert asked == made
        with pytest.raises(InvalidRequest, match="1 forks with 2 names"):
            snapshots.fork_workspace(
                workspace.sessions, workspace.id, count=1, names=["a", "b"], from_snapshot=None
            )
