import json
from pathlib import Path
from threading import Barrier, Thread

import pytest

from pyro_mcp.host import facts
from pyro_mcp.host.facts import file_identity, recalled, remembered


def _never() -> dict[str, object]:
    pytest.fail("asked again")


def test_an_answer_holds_as_long_as_what_it_was_asked_of(tmp_path: Path) -> None:
    file = tmp_path / "host" / "facts.json"
    assert remembered(file, "one", lambda: {"a": 1}) == {"a": 1}
    assert remembered(file, "one", _never) == {"a": 1}
    assert remembered(file, "another", lambda: {"a": 2}) == {"a": 2}
    assert recalled(file, "one") is None


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '"x"', '{"identity": "one"}', '{"identity": "one", "facts": 3}']
)
def test_a_damaged_file_is_asked_anew(tmp_path: Path, content: str) -> None:
    file = tmp_path / "facts.json"
    file.write_text(content)
    assert remembered(file, "one", lambda: {"a": 1}) == {"a": 1}
    assert json.loads(file.read_text())["facts"] == {"a": 1}


def test_many_at_once_get_one_answer(tmp_path: Path) -> None:
    """A measure of the host differs from one time to the next, and would make a template for each."""
    asked: list[None] = []
    got: list[dict[str, object]] = []
    ready = Barrier(4)

    def ask() -> dict[str, object]:
        asked.append(None)
        return {"measure": len(asked)}

    def work() -> None:
        ready.wait()
        got.append(remembered(tmp_path / "facts.json", "one", ask))

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [{"measure": 1}] * 4


def test_a_cache_that_cannot_be_written_is_asked_each_time(tmp_path: Path) -> None:
    nowhere = tmp_path / "file" / "facts.json"
    nowhere.parent.write_text("not a directory")
    assert remembered(nowhere, "one", lambda: {"a": 1}) == {"a": 1}
    assert remembered(nowhere, "one", lambda: {"a": 2}) == {"a": 2}


def test_a_file_is_another_once_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "file"
    assert file_identity(str(file)) == ""
    file.write_text("one")
    before = file_identity(str(file))
    file.write_text("more")
    assert file_identity(str(file)) != before
    assert facts.boot_id() == facts.boot_id() != ""
