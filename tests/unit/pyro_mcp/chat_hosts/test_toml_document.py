"""Changing one table of a TOML text leaves everything else as it was."""

import pytest

from pyro_mcp.chat_hosts.documents import Unreadable
from pyro_mcp.chat_hosts.toml_document import TomlDocument
from pyro_mcp.models.encoding import JsonObject

_PLACE = ("mcp_servers", "pyro")
_ENTRY: JsonObject = {"command": "/bin/pyro", "args": ["mcp"]}
_WRITTEN = '[mcp_servers.pyro]\ncommand = "/bin/pyro"\nargs = ["mcp"]\n'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", _WRITTEN),
        (
            '# mine\nmodel = "x"  # good\n\n[mcp_servers.other] # keep\ncommand = "a"\n',
            '# mine\nmodel = "x"  # good\n\n[mcp_servers.other] # keep\ncommand = "a"\n\n' + _WRITTEN,
        ),
        ("[projects.'/x']\na = 1\n", "[projects.'/x']\na = 1\n\n" + _WRITTEN),
    ],
)
def test_a_table_is_added(before: str, after: str) -> None:
    document = TomlDocument(before)
    document.set(_PLACE, dict(_ENTRY))
    assert document.text == after


def test_an_inline_table_is_understood() -> None:
    document = TomlDocument('mcp_servers = { pyro = { command = "old" }, b = { command = "c" } } # all\n')
    document.set((*_PLACE, "command"), "new")
    assert document.text == 'mcp_servers = { pyro = { command = "new" }, b = { command = "c" } } # all\n'


def test_a_table_is_taken_out() -> None:
    document = TomlDocument("[mcp_servers.other]\na = 1 # one\n\n" + _WRITTEN + "\n[tui]\nb = 2\n")
    document.remove(_PLACE)
    assert document.get(_PLACE) is None
    assert document.text.startswith("[mcp_servers.other]\na = 1 # one\n")
    assert "[tui]\nb = 2\n" in document.text


@pytest.mark.parametrize("text", ["a = \n", "[a\n", "mcp_servers = 3\n"])
def test_what_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        TomlDocument(text).set(_PLACE, dict(_ENTRY))
