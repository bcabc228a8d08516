"""Fields of answers that only the widest profile shows: a model that is offered less should not read of more."""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass, replace
from types import MappingProxyType
from typing import Any, get_args, get_type_hints

# `secrets: tuple[str, ...] = field(default=(), metadata=ONLY_FULL)`. Such a field needs a default: it stands in its place.
ONLY_FULL: Mapping[str, bool] = MappingProxyType({"only_full": True})


def is_only_full(item: "Field[Any]") -> bool:
    """Whether only the widest profile shows a field of a model."""
    return bool(item.metadata) and item.metadata.get("only_full") is True


def only_full_names(answer: object) -> frozenset[str]:
    """Every such field of a model and of the models in it; `answer` is an annotation."""
    return frozenset(item.name for model in _models_in(answer, set()) for item in _only_full(model))


def narrowed(value: Any) -> Any:
    """The same answer with every such field, at any depth, as if there were nothing to tell.

    A model whose items differ in that says by a method of this name which it keeps.
    """
    if isinstance(value, tuple | list):
        return type(value)(narrowed(item) for item in value)
    if not is_dataclass(value) or isinstance(value, type):
        return value
    if hasattr(value, "narrowed"):
        value = value.narrowed()
    hidden = {item.name: _default(item) for item in _only_full(type(value))}
    shown = {item.name: getattr(value, item.name) for item in fields(value) if item.init}
    return replace(value, **{name: narrowed(item) for name, item in shown.items()} | hidden)


def _only_full(model: Any) -> Iterator[Field[Any]]:
    return (item for item in fields(model) if is_only_full(item))


def _default(item: Field[Any]) -> object:
    if item.default is not MISSING:
        return item.default
    if item.default_factory is not MISSING:
        return item.default_factory()
    raise TypeError(f"{item.name} is not in every profile, so it needs a default")


def _models_in(annotation: Any, seen: set[Any]) -> Iterator[Any]:
    for part in get_args(annotation):
        yield from _models_in(part, seen)
    if is_dataclass(annotation) and annotation not in seen:
        seen.add(annotation)
        yield annotation
        for inner in get_type_hints(annotation).values():
            yield from _models_in(inner, seen)
