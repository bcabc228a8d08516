"""Take secrets out of an answer as a whole: also out of names that a guest gave its files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import TypeVar, cast

from pyro_mcp.redaction.redactor import Redactor

Answer = TypeVar("Answer")


def without_secrets(answer: Answer, redactor: Redactor) -> Answer:
    """Give the same answer with every text in it redacted."""
    return cast(Answer, _clean(answer, redactor.text)) if redactor.knows_any else answer


def _clean(value: object, clean: Callable[[str], str]) -> object:
    if isinstance(value, str):
        return clean(value)
    if is_dataclass(value) and not isinstance(value, type):
        return type(value)(
            **{field.name: _clean(getattr(value, field.name), clean) for field in fields(value)}
        )
    if isinstance(value, Mapping):
        return {_clean(key, clean): _clean(item, clean) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(_clean(item, clean) for item in value)
    return value
