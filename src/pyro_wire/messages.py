"""Read and write the JSON objects that travel in OPEN, CONTROL, ANSWER and FAULT frames.

Everything a peer says is `object` until one of the readers below has looked at it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from pyro_wire.frames import MAX_PAYLOAD, Buffer

Message = Mapping[str, object]


class MessageError(ValueError):
    """A message that is not what the protocol says; tells which field."""


def pack(message: Message) -> bytes:
    """Encode a message; raise MessageError where it exceeds one frame. Larger things travel as DATA."""
    # ASCII keeps file names that are not UTF-8 (lone surrogates) intact over the line.
    payload = json.dumps(message, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode("ascii")
    if len(payload) > MAX_PAYLOAD:
        raise MessageError(f"the message has {len(payload)} bytes; at most {MAX_PAYLOAD} travel in one")
    return payload


def unpack(payload: Buffer) -> Message:
    """Decode a message; raise MessageError for anything but one JSON object."""
    try:
        value = json.loads(bytes(payload).decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise MessageError(f"not JSON: {error}") from None
    if not isinstance(value, dict):
        raise MessageError(f"a JSON {type(value).__name__} where an object belongs")
    return value


def text(message: Message, name: str, default: str | None = None) -> str:
    """Return a string without NUL, or the default where the field is missing or null."""
    value = message.get(name)
    if value is None and default is not None:
        return default
    return _plain_text(value, name)


def optional_text(message: Message, name: str) -> str | None:
    """Return a string without NUL, or None where the field is missing or null."""
    value = message.get(name)
    return None if value is None else _plain_text(value, name)


def flag(message: Message, name: str, default: bool | None = None) -> bool:
    """Return a boolean; nothing else counts as one."""
    value = message.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, bool):
        raise MessageError(f"{name}: true or false belongs here")
    return value


def integer(message: Message, name: str, *, low: int, high: int) -> int:
    """Return a whole number within [low, high]."""
    value = optional_integer(message, name, low=low, high=high)
    if value is None:
        raise MessageError(f"{name}: missing")
    return value


def optional_integer(message: Message, name: str, *, low: int, high: int) -> int | None:
    """Return a whole number within [low, high], or None where the field is missing or null."""
    value = message.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise MessageError(f"{name}: a whole number from {low} to {high} belongs here")
    return value


def texts(message: Message, name: str) -> list[str]:
    """Return a list of strings without NUL."""
    value = message.get(name)
    if not isinstance(value, list):
        raise MessageError(f"{name}: a list of strings belongs here")
    return [_plain_text(item, name) for item in value]


def text_map(message: Message, name: str) -> dict[str, str]:
    """Return a mapping from strings to strings, neither with NUL; empty where missing or null."""
    value = message.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise MessageError(f"{name}: an object of strings belongs here")
    return {_plain_text(key, name): _plain_text(item, name) for key, item in value.items()}


def _plain_text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise MessageError(f"{name}: a string belongs here")
    if "\0" in value:
        raise MessageError(f"{name}: holds a NUL character")
    return value


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")
