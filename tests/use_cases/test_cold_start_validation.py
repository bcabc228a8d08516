"""Cold start: how a repository that nobody here has seen is installed and tested, found out in a clean machine, and reported."""

from pathlib import Path

import pytest
from tests.opened import outliving
from tests.use_cases import releases
from tests.use_cases.doors import DoorName, working

pytestmark = [outliving, pytest.mark.timeout(900), pytest.mark.usefixtures("environment", "home")]
_INDEX = ["pypi.org", "files.pythonhosted.org"]


@pytest.mark.parametrize("door", ["mcp", "cli", "sdk"])
def test_cold_start_validation(tmp_path: Path, door: DoorName) -> None:
    project = releases.fixed(tmp_path)
    name = "cold-start"
    ws = {"workspace": name}
    with working("cold-start-validation", door, profile="workspace-full", host_root=project) as call:
        settings = {"network_policy": "egress", "allow_hosts": _INDEX, "mem_mib": 2048}
        call("workspace_create", environment="debian:12-build", seed_path=".", name=name, **settings)
        listed = call("workspace_file_list", **ws, path=".", depth=1)
        names = {entry["path"] for entry in listed["entries"]}
        assert {"pyproject.toml", "tests"} <= names
        read = call("workspace_file_read", **ws, path="pyproject.toml")
        assert "flit_core" in read["content"]

        call("workspace_exec", **ws, command="python3 -m venv /opt/venv")
        installed = call("workspace_exec", **ws, command="/opt/venv/bin/pip install --quiet . pytest")
        assert installed["exit_code"] == 0, installed["stderr"]
        tested = call("workspace_exec", **ws, command="/opt/venv/bin/pytest -q -p no:cacheprovider tests")
        assert tested["exit_code"] == 0, tested["stdout"]

        summary = call("workspace_summary", **ws)
        assert summary["tests_after"]["runner"] == "pytest"
        assert summary["tests_after"]["passed"] > 500
        assert (summary["tests_after"]["failed"], summary["commands_failed"]) == (0, 0)
        assert summary["connections"]["allowed"] > 0
        assert {place.partition(":")[0] for place in summary["connections"]["destinations"]} <= set(_INDEX)
        call("workspace_delete", **ws)
