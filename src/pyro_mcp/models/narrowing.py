"""Fields of answers that the narrower profiles do not have: each is marked where it is declared, and has a default."""

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass, replace
from typing import Any, TypeVar

# field(metadata=ONLY_FULL)
ONLY_FULL: Mapping[str, bool] = {"only_full": True}
Answer = TypeVar("Answer")


def only_full(model: object) -> frozenset[str]:
    """The names of a model's marked fields; of anything else there are none."""
    if not is_dataclass(model):
        return frozenset()
    return frozenset(item.name for item in fields(model) if item.metadata.get("only_full"))


def narrowed(answer: Answer) -> Answer:
    """The same answer with the marked fields as if there was nothing to say in them."""
    if isinstance(answer, list):
        return [narrowed(item) for item in answer]  # type: ignore[return-value]
    if not is_dataclass(answer) or isinstance(answer, type):
        return answer
    plain: dict[str, Any] = {}
    for item in fields(answer):
        if item.metadata.get("only_full"):
            plain[item.name] = item.default if item.default is not MISSING else item.default_factory()  # type: ignore[misc]
    return replace(answer, **plain) if plain else answer
