"""Names of shells are never used twice, and why each ended is kept."""

from pathlib import Path

from pyro_mcp.keeper.shells.records import known_end, new_record, note_end


def test_names_go_on_where_others_ended(tmp_path: Path) -> None:
    directory = tmp_path / "shells"
    assert [new_record(directory), new_record(directory)] == ["sh-1", "sh-2"]
    note_end(directory, "sh-2", "it was closed")
    assert new_record(directory) == "sh-3"
    assert known_end(directory, "sh-1") == ""
    assert known_end(directory, "sh-2") == "it was closed"
    assert known_end(directory, "sh-9") is None


def test_old_records_are_let_go_but_never_their_numbers(tmp_path: Path) -> None:
    for _ in range(130):
        last = new_record(tmp_path)
    assert last == "sh-130"
    assert len(list(tmp_path.iterdir())) <= 102
    assert known_end(tmp_path, "sh-1") is None


def test_a_damaged_record_says_nothing(tmp_path: Path) -> None:
    new_record(tmp_path)
    for damage in ("{", "[]", "7"):
        (tmp_path / "sh-1.json").write_text(damage)
        assert known_end(tmp_path, "sh-1") == ""
