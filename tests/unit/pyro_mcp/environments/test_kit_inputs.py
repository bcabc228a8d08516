from pathlib import Path

import pytest
from tests.unit.pyro_mcp.environments.test_cpio import read_back

from pyro_mcp.environments import kit_inputs
from pyro_mcp.environments.kit_inputs import agent_archive, kit_key
from pyro_mcp.errors import HostUnfit


def test_the_agent_and_the_wire_are_packed_from_their_sources() -> None:
    members = {member.path: member.data for member in read_back(agent_archive())}
    assert b"from pyro_agent.main import main" in members["agent/__main__.py"]
    assert members["agent/pyro_wire/frames.py"] == Path("src/pyro_wire/frames.py").read_bytes()
    assert {"agent/pyro_agent/main.py", "agent/pyro_agent/disk/mounts.py"} <= members.keys()
    assert not any("__pycache__" in path or path.endswith(".pyc") for path in members)


def test_directories_come_before_what_is_in_them() -> None:
    paths = [member.path for member in read_back(agent_archive())]
    assert all(path.rpartition("/")[0] in paths[:number] for number, path in enumerate(paths) if "/" in path)


def test_an_incomplete_installation_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kit_inputs, "find_spec", lambda name: None)
    with pytest.raises(HostUnfit, match="pyro_agent is not installed"):
        agent_archive()


def test_the_kits_key_moves_with_its_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kit_inputs, "KIT_DATA", tmp_path)
    (tmp_path / "init").write_text("1")
    keys = [kit_key(1), kit_key(2)]
    (tmp_path / "init").write_text("2")
    keys.append(kit_key(1))
    assert len(set(keys)) == 3
