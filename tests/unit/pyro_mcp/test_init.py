import subprocess
import sys

import pytest

import pyro_mcp


def test_every_public_name_is_there() -> None:
    assert [name for name in pyro_mcp.__all__ if getattr(pyro_mcp, name).__name__ != name] == []
    assert pyro_mcp.__version__ == "0.1.0"


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Pyrro'"):
        _ = pyro_mcp.Pyrro


@pytest.mark.parametrize(
    ("statement", "unwanted"),
    [
        ("import pyro_mcp", ("click", "pydantic", "mcp", "dataclasses", "pyro_mcp.errors")),
        ("import pyro_mcp.cli.main", ("pydantic", "mcp", "rich", "subprocess", "pyro_mcp.operations")),
        ("import pyro_mcp.cli.commands.run", ("pydantic", "mcp", "rich", "pyro_mcp.workspaces")),
        ("from pyro_mcp import Pyro; Pyro()", ("click", "pydantic", "mcp", "rich")),
    ],
)
def test_imports_stay_as_light_as_start_up_needs(statement: str, unwanted: tuple[str, ...]) -> None:
    program = f"{statement}; import sys; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()
    assert set(unwanted) & set(loaded) == set()
