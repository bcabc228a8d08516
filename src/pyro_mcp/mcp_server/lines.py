"""Bytes in, messages out: one JSON-RPC message a line. What is none becomes the error that answers it; nothing here reads."""

from __future__ import annotations

import json
from collections.abc import Iterator

import mcp_types as types
from mcp_types.jsonrpc import JSONRPCError, JSONRPCMessage, jsonrpc_message_adapter
from pydantic import ValidationError

# A file to write may come as one argument; past this a host has lost its way, and we would lose our memory.
LONGEST_LINE = 64 << 20


class Lines:
    """Cuts what arrives into lines. One that is too long is given as None once, and the rest of it is dropped."""

    def __init__(self, longest: int = LONGEST_LINE) -> None:
        self._longest = longest
        self._parts: list[bytes] = []
        self._size = 0
        self._dropping = False

    def feed(self, data: bytes) -> Iterator[bytes | None]:
        """Give the lines that `data` completes; b"" is the end, which completes the last."""
        *whole, rest = data.split(b"\n") if data else (b"", b"")
        for part in whole:
            yield from self._add(part)
            if not self._dropping and (line := b"".join(self._parts)).strip():
                yield line
            self._parts, self._size, self._dropping = [], 0, False
        yield from self._add(rest)

    def _add(self, part: bytes) -> Iterator[None]:
        self._size += len(part)
        if not self._dropping and self._size > self._longest:
            self._parts, self._dropping = [], True
            yield None
        elif not self._dropping:
            self._parts.append(part)


def decoded(line: bytes | None) -> JSONRPCMessage | None:
    """Read one line; None when it is no message."""
    if line is None:
        return None
    try:
        return jsonrpc_message_adapter.validate_json(line, by_name=False)
    except ValidationError:
        return None


def refusal(line: bytes | None) -> JSONRPCError:
    """Say what is wrong with a line that is no message, to the question it was meant to be where that can be told."""
    if line is None:
        return _error(types.INVALID_REQUEST, f"the message is longer than {LONGEST_LINE} bytes")
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return _error(types.PARSE_ERROR, "a line is not JSON")
    number = found.get("id") if isinstance(found, dict) else None
    known = number if isinstance(number, int | str) and not isinstance(number, bool) else None
    return _error(types.INVALID_REQUEST, "this is no JSON-RPC 2.0 request, notification or response", known)


def _error(code: int, message: str, number: types.RequestId | None = None) -> JSONRPCError:
    return JSONRPCError(jsonrpc="2.0", id=number, error=types.ErrorData(code=code, message=message))
