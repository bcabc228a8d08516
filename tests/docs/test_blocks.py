"""Every code block is run by a test, checked by one, or stands in the table with its reason."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.pages.blocks import ROOT, blocks, commands, name_of, pages
from tests.pages.going import SHELLS
from tests.pages.table import BEFORE, NOT_RUN
from tests.pages.told import differences

from pyro_mcp.environments.recipe import parse

every_page = pytest.mark.parametrize("page", pages(), ids=name_of)
# Run by tests/pages; text is what a model says and hears (tests/use_cases compares it), or a picture.
_KNOWN = {*SHELLS, "python", "json", "toml", "text"}


@every_page
def test_every_block_is_of_a_kind_that_a_test_looks_at(page: Path) -> None:
    assert {block.language for block in blocks(page)} <= _KNOWN


@every_page
def test_json_and_recipes_are_read(page: Path) -> None:
    for block in blocks(page):
        if block.language == "json":
            json.loads(block.text)
        if block.language == "toml":
            assert parse(block.text, origin=f"{name_of(page)}:{block.line}").name


@pytest.mark.parametrize("table", [NOT_RUN, BEFORE], ids=["not run", "before"])
def test_the_tables_name_commands_that_the_pages_have(table: Mapping[str, Mapping[str, str]]) -> None:
    for page, rows in table.items():
        found = [
            command.text
            for block in blocks(ROOT / page)
            if block.language in SHELLS
            for command in commands(block)
        ]
        unused = [row for row in rows if not any(text.startswith(row) for text in found)]
        assert unused == [], page
        assert all(len(said.split()) > 1 for said in rows.values())


def test_a_transcript_is_held_to_what_was_printed() -> None:
    told = ["issue-1  ws-kpt49kffr0  debian:12", "…", "pyro: exit status 1 after 1.72 s (out-7b7m9s1t4x)"]
    said = [
        "issue-1  ws-aaaa9kffr0  debian:12",
        "one",
        "two",
        "pyro: exit status 1 after 0.2 s (out-aaaaaaaaaa)",
    ]
    assert differences(told, said, "/home/x") == ""
    assert differences(told, [*said, "more"], "/home/x")
    assert differences(told, [said[0].replace("issue-1", "issue-2"), *said[1:]], "/home/x")
    assert differences(told, [*said[:-1], said[-1].replace("status 1", "status 2")], "/home/x")
    assert (
        differences(["written to ~/calc/fix.patch"], ["written to /home/x/calc/fix.patch"], "/home/x") == ""
    )
