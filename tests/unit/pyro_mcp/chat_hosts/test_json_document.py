"""Changing one member of a JSON text leaves everything else as it was."""

import json
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyro_mcp.chat_hosts.documents import Unreadable, at
from pyro_mcp.chat_hosts.json_document import JsonDocument
from pyro_mcp.models.encoding import JsonValue

_PLACE = ("mcpServers", "pyro")


def _changed(text: str, value: JsonValue = 1) -> str:
    document = JsonDocument(text, comments=True)
    document.set(_PLACE, value)
    return document.text


def _without(text: str) -> str:
    document = JsonDocument(text, comments=True)
    document.remove(_PLACE)
    return document.text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", '{\n  "mcpServers": {\n    "pyro": 1\n  }\n}\n'),
        ("{}", '{\n  "mcpServers": {\n    "pyro": 1\n  }\n}'),
        (
            '{\n    "a": 1 // one\n}\n',
            '{\n    "a": 1, // one\n    "mcpServers": {\n        "pyro": 1\n    }\n}\n',
        ),
        ('{\n\t"a": 1,\n}\n', '{\n\t"a": 1,\n\t"mcpServers": {\n\t\t"pyro": 1\n\t},\n}\n'),
        (
            '{ "mcpServers": { "b": {} } }',
            '{ "mcpServers": { "b": {},\n  "pyro": 1\n} }',
        ),
        (
            '{\r\n  "mcpServers": {\r\n    // none yet\r\n  }\r\n}\r\n',
            '{\r\n  "mcpServers": {\r\n    // none yet\r\n    "pyro": 1\r\n  }\r\n}\r\n',
        ),
        (
            '{"mcpServers": {"pyro": {"old": [2]} /* kept */, "b": 2}}',
            '{"mcpServers": {"pyro": 1 /* kept */, "b": 2}}',
        ),
    ],
)
def test_a_member_is_put_where_it_belongs(before: str, after: str) -> None:
    assert _changed(before) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{\n  "mcpServers": {\n    "pyro": {\n      "a": 1\n    }\n  }\n}\n', '{\n  "mcpServers": {}\n}\n'),
        (
            '{"mcpServers": {\n    "b": 1, // first\n    "pyro": 2\n  }}',
            '{"mcpServers": {\n    "b": 1 // first\n  }}',
        ),
        (
            '{"mcpServers": {\n    "pyro": 2,\n    // of b\n    "b": 1\n  }}',
            '{"mcpServers": {\n    // of b\n    "b": 1\n  }}',
        ),
        ('{"mcpServers": {"b": 1, "pyro": 2}}', '{"mcpServers": {"b": 1}}'),
        ('{"mcpServers": {"b": 1, "pyro": 2,}}', '{"mcpServers": {"b": 1,}}'),
        ('{"mcpServers": {"b": 1}}', '{"mcpServers": {"b": 1}}'),
        ('{"other": 1}', '{"other": 1}'),
    ],
)
def test_a_member_is_taken_out(before: str, after: str) -> None:
    assert _without(before) == after


_KEYS = st.text(string.ascii_lowercase + '"\\/é', max_size=4)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text('a"\\/*{}[],:\n é', max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=8,
)
_SERVERS = st.dictionaries(_KEYS | st.just("pyro"), _VALUES, max_size=3)
_TREES = st.dictionaries(_KEYS, _VALUES, max_size=3).flatmap(
    lambda tree: st.one_of(st.just(tree), _SERVERS.map(lambda servers: {**tree, "mcpServers": servers}))
)


@settings(max_examples=150, deadline=None)
@given(_TREES, _VALUES, st.sampled_from([None, 0, 2, "\t"]))
def test_whatever_stands_around_it_survives(
    tree: dict[str, JsonValue], value: JsonValue, indent: int | str | None
) -> None:
    text = json.dumps(tree, indent=indent)
    document = JsonDocument(text, comments=False)
    document.set(_PLACE, value)
    servers = dict(at(tree, ("mcpServers",)) or {})  # type: ignore[arg-type]
    assert json.loads(document.text) == {**tree, "mcpServers": {**servers, "pyro": value}}
    document.remove(_PLACE)
    servers.pop("pyro", None)
    assert json.loads(document.text) == {**tree, "mcpServers": servers}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"a": }', "line 1, column 7: expected a value"),
        ('{"a": 1\n "b": 2}', 'line 2, column 2: expected ","'),
        ('{"a": 01x}', "expected"),
        ("[1]", "no JSON object"),
        ('{"a": 1} {', "expected the end"),
        ("{", 'expected a key in quotes or "}"'),
        ("[" * 5000, "no more than 100 levels"),
        ('{"mcpServers": 3}', "mcpServers is no object"),
    ],
)
def test_what_cannot_be_read_is_refused(text: str, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        _changed(text)


def test_a_host_without_comments_has_none() -> None:
    with pytest.raises(Unreadable, match="line 1 column 2"):
        JsonDocument("{// no\n}", comments=False)
