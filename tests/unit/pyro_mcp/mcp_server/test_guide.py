import re

import pytest

from pyro_mcp.mcp_server.guide import for_profile, guide
from pyro_mcp.operations.catalogue import PROFILES, operations_in
from pyro_mcp.operations.declare import Profile


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_is_told_of_its_own_tools_only(profile: Profile) -> None:
    offered = {operation.name for operation in operations_in(profile)}
    named = set(re.findall(r"\b(?:vm|workspace|snapshot|shell|service)_\w+", guide(profile)))
    assert named <= offered | {"yield_after_seconds"}
    assert "vm_run" in guide(profile)
    assert len(guide(profile)) < 4000
    assert "[" not in guide(profile)


def test_a_paragraph_stands_where_its_tools_are() -> None:
    text = "always\n\n[vm_run] run\n\n[vm_run workspace_exec] both\n\n[not workspace_exec] small"
    assert for_profile(text, "vm-run") == "always\n\nrun\n\nsmall"
    assert for_profile(text, "workspace-core") == "always\n\nrun\n\nboth"
