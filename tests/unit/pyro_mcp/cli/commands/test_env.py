import io
import json
from pathlib import Path

import pytest
from tests import saved_images as saved
from tests.doors import MemoryEngine
from tests.unit.pyro_mcp.cli.conftest import UseEngine
from tests.unit.pyro_mcp.environments.images import write_image

from pyro_mcp.cli.main import run_cli
from pyro_mcp.environments import sandbox


def test_list_is_a_table_for_people(use_engine: UseEngine, capsys: pytest.CaptureFixture[str]) -> None:
    use_engine(MemoryEngine())
    assert run_cli(["env", "list"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "NAME            STATE       SIZE    DIGEST        WHAT IT IS",
        "debian:12       available   221 MB  9548a14187e1  Debian 12",
        "debian:12-base  not pulled  -       -             Debian 12, minimal",
    ]


def test_list_as_json_stands_under_its_plural(
    use_engine: UseEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    use_engine(MemoryEngine())
    assert run_cli(["env", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["environments"]
    assert [(item["name"], item["state"]) for item in listed] == [
        ("debian:12", "available"),
        ("debian:12-base", "not_pulled"),
    ]


@pytest.mark.parametrize("command", ["pull", "inspect"])
def test_an_unknown_environment_is_not_found_with_near_names(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_cli(["env", command, "debian:13"]) == 3
    said = capsys.readouterr().err
    assert "debian:13" in said.splitlines()[0]
    assert "debian:12" in said.splitlines()[-1]


def test_inspect_tells_what_an_environment_is_made_of(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(["env", "inspect", "debian:12"]) == 0
    shown = capsys.readouterr().out
    assert "state:       not pulled" in shown
    assert "git" in shown
    assert run_cli(["env", "inspect", "debian:12", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == "debian:12"


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A saved image, and a sqfstar that needs nothing."""

    def pack(feed: sandbox.Feed, image: Path, *, epoch: int, root_mode: int) -> None:
        feed(io.BytesIO())
        write_image(image)

    monkeypatch.setattr("pyro_mcp.environments.squashfs.pack_stream", pack)
    monkeypatch.setattr(sandbox, "require_tools", lambda *_names: None)
    layers = [saved.layer(saved.file("x", b"1"))]
    return saved.docker_archive(tmp_path / "app.tar", layers, saved.config(layers, {"User": "app"}))


def test_an_imported_image_is_told_shown_and_forgotten(
    archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_cli(["env", "import", "app:1", str(archive)]) == 0
    assert capsys.readouterr().out.startswith("app:1  4 KB  ")
    assert run_cli(["env", "inspect", "app:1"]) == 0
    shown = capsys.readouterr().out
    assert f"imported:    {archive}" in shown
    assert "user:        app" in shown
    assert "recipe" not in shown
    assert run_cli(["env", "import", "app:1", str(archive), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["imported_from"] == str(archive)
    assert run_cli(["env", "forget", "app:1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"forgotten": "app:1"}
    assert run_cli(["env", "forget", "app:1"]) == 3


@pytest.mark.parametrize(("name", "status"), [("debian:12", 4), ("No", 2), ("new", 0)])
def test_a_name_that_cannot_be_given_is_refused(archive: Path, name: str, status: int) -> None:
    assert run_cli(["env", "import", "-q", name, str(archive)]) == status


def test_an_archive_that_is_not_there_is_not_found(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(["env", "import", "new", "/nowhere.tar"]) == 3
    assert "hint: " in capsys.readouterr().err


def test_prune_of_an_empty_cache_frees_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(["env", "prune"]) == 0
    assert capsys.readouterr().out == "there is nothing to free\n"
