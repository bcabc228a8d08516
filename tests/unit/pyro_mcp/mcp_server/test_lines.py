import json

import mcp_types as types
import pytest
from mcp_types.jsonrpc import JSONRPCRequest

from pyro_mcp.mcp_server.lines import Lines, decoded, refusal

PING = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_lines_come_out_whole_however_they_come_in(size: int) -> None:
    data = b"one\n\n  \ntwo\r\nthree"
    lines = Lines()
    found = [line for at in range(0, len(data), size) for line in lines.feed(data[at : at + size])]
    assert [*found, *lines.feed(b"")] == [b"one", b"two\r", b"three"]


@pytest.mark.parametrize("size", [1, 5, 1000])
def test_a_line_without_end_is_told_once_and_not_kept(size: int) -> None:
    data = b"x" * 300 + b"\nnext\n"
    lines = Lines(longest=100)
    found = [line for at in range(0, len(data), size) for line in lines.feed(data[at : at + size])]
    assert found == [None, b"next"]


def test_a_message_is_read() -> None:
    assert decoded(PING) == JSONRPCRequest(jsonrpc="2.0", id=1, method="ping")


@pytest.mark.parametrize(
    ("line", "code", "number"),
    [
        (b"garbage", types.PARSE_ERROR, None),
        (b"\xff\xfe", types.PARSE_ERROR, None),
        (b"[" * 100_000, types.PARSE_ERROR, None),
        (b"[]", types.INVALID_REQUEST, None),
        (b'{"id": 7}', types.INVALID_REQUEST, 7),
        (b'{"jsonrpc": "1.0", "id": "a", "method": "ping"}', types.INVALID_REQUEST, "a"),
        (None, types.INVALID_REQUEST, None),
    ],
)
def test_what_is_no_message_is_answered(line: bytes | None, code: int, number: object) -> None:
    assert decoded(line) is None
    answer = refusal(line)
    assert (answer.error.code, answer.id) == (code, number)
    assert json.loads(answer.model_dump_json(by_alias=True, exclude_unset=True))["id"] == number
