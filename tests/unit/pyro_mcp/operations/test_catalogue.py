import pytest

from pyro_mcp.errors import InvalidRequest
from pyro_mcp.operations.catalogue import all_operations, operation_named, operations_in
from pyro_mcp.operations.declare import Profile


def test_names_are_unique_and_found() -> None:
    names = [operation.name for operation in all_operations()]
    assert len(set(names)) == len(names)
    assert [operation_named(name).name for name in names] == names


def test_an_unknown_profile_is_refused_with_the_known_ones() -> None:
    wrong: Profile = "vm_run"  # type: ignore[assignment]
    with pytest.raises(InvalidRequest, match="no profile 'vm_run'") as refused:
        operations_in(wrong)
    assert "vm-run, workspace-core, workspace-full" in (refused.value.hint or "")
