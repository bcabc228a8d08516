"""A workspace's own methods look like what they are: to `help`, to an editor, to whoever lists the package."""

import inspect
from typing import cast

import pyro_mcp
from pyro_mcp.models.workspace import WorkspaceStatus
from pyro_mcp.operations.handle import Workspace
from pyro_mcp.operations.workspace import WorkspaceOperations


def _workspace() -> Workspace:
    found = Workspace.__new__(Workspace)
    found._noun, found._id = cast(WorkspaceOperations, None), "ws-4h7k2m9qxz"
    found.info = cast(WorkspaceStatus, None)
    return found


def test_a_bound_method_has_its_name_its_words_and_its_own_arguments() -> None:
    workspace = _workspace()
    signature = inspect.signature(workspace.exec)
    assert list(signature.parameters)[:3] == ["command", "cwd", "env"]
    assert str(signature).startswith(
        "(command: str | collections.abc.Sequence[str], *, cwd: str = '/workspace'"
    )
    assert (workspace.exec.__name__, workspace.exec.__doc__) == ("exec", WorkspaceOperations.exec.__doc__)
    assert list(inspect.signature(workspace.stop).parameters) == []


def test_the_package_lists_what_it_offers() -> None:
    assert set(pyro_mcp.__all__) <= set(dir(pyro_mcp))
