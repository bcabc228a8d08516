"""Declare an operation where its SDK method stands: the signature is the declaration, `@operation` adds what it cannot say."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, wraps
from importlib import import_module
from types import NoneType, UnionType
from typing import Annotated, Literal, ParamSpec, TypeVar, Union, get_args, get_origin

from pyro_mcp.models.arguments import Argument, SdkOnly, check, check_kind

Profile = Literal["vm-run", "workspace-core", "workspace-full"]
Effect = Literal["reads", "changes", "destroys"]
Profiles = frozenset[Profile]

FULL: Profiles = frozenset({"workspace-full"})
CORE: Profiles = FULL | {"workspace-core"}
EVERYWHERE: Profiles = CORE | {"vm-run"}

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Parameter:
    """One argument as all doors but the SDK see it. `type` is what they take; `default` means nothing where it is required."""

    name: str
    type: object
    argument: Argument
    required: bool
    default: object
    profiles: Profiles


@dataclass(frozen=True)
class Operation:
    """One row of the contract. `noun` is the path from the client to the object that has `method`, `cli` the command's.

    `named` is a title where the name makes a poor one.
    """

    name: str
    effect: Effect
    profiles: Profiles
    cli: tuple[str, ...]
    method: Callable[..., object]
    parameters: tuple[Parameter, ...]
    answers: object
    noun: str = ""
    named: str = ""
    repeatable: bool = False

    @property
    def title(self) -> str:
        """What people see on a button: the verb and the noun of its name, where nothing better was given."""
        *nouns, verb = self.name.split("_")
        thing = " ".join(nouns[1:] if nouns[:1] == ["workspace"] and nouns[1:] else nouns)
        return self.named or f"{verb.capitalize()} {thing}"

    @cached_property
    def returns(self) -> object:
        """The type of the answer. Where its name is written as a string, its module is imported when a door first asks."""
        return (
            getattr(import_module("pyro_mcp"), self.answers)
            if isinstance(self.answers, str)
            else self.answers
        )

    @property
    def idempotent(self) -> bool:
        """Whether doing it again changes nothing more. What is gone or reset is so the second time, too."""
        return self.repeatable or self.effect in ("reads", "destroys")

    @property
    def summary(self) -> str:
        """The first sentence of the docstring: what the operation does."""
        return self.description.partition(". ")[0].rstrip(".") + "."

    @property
    def description(self) -> str:
        """The docstring's first paragraph: what it does and when to use it."""
        return inspect.cleandoc(self.method.__doc__ or "").split("\n\n", 1)[0].replace("\n", " ")

    @property
    def plural(self) -> str | None:
        """What a list that it answers is called in JSON; None when it answers one model."""
        items = get_args(self.returns)
        plural = getattr(items[0], "plural", None) if items else None
        return plural if isinstance(plural, str) else None

    def parameters_in(self, profile: Profile) -> tuple[Parameter, ...]:
        """The arguments that a profile offers: a narrower one has fewer."""
        return tuple(parameter for parameter in self.parameters if profile in parameter.profiles)

    def call(self, client: object, **arguments: object) -> object:
        """Carry it out for a door: the method of the noun below `client`; of a handle, what it is a handle of."""
        owner = client
        for name in filter(None, self.noun.split(".")):
            owner = getattr(owner, name)
        answer = self.method(owner, **arguments)
        return answer.info if isinstance(answer, Handle) else answer


class Handle:
    """An answer that an SDK caller can go on working with; the other doors show `info`."""

    info: object


def operation(
    name: str,
    *,
    effect: Effect,
    profiles: Profiles,
    cli: tuple[str, ...] = (),
    only_in: Mapping[str, Profiles] = {},
    answers: object = None,
    title: str = "",
    idempotent: bool = False,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a method of the SDK an operation of all doors; its arguments are checked before it is entered.

    `cli` is only given where the command is not spelt as noun and method are. `only_in` names the arguments that not every
    profile of the operation offers. `answers` is what the other doors show where the SDK gives a handle. `title` is for people
    where verb and noun of the name make none; `idempotent` says of a change that doing it again changes nothing more.
    """

    def declare(method: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(method)
        described = {name: _described(parameter) for name, parameter in signature.parameters.items()}
        parameters = {
            name: _parameter(signature.parameters[name], argument, only_in.get(name, profiles))
            for name, argument in described.items()
            if argument is not None
        }

        @wraps(method)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            for given, value in signature.bind(*args, **kwargs).arguments.items():
                parameter = parameters.get(given)
                if parameter is not None and (parameter.required or value is not parameter.default):
                    check_kind(given, value, parameter.type, parameter.argument)
                    check(given, value, parameter.argument)
            return method(*args, **kwargs)

        returns = answers or signature.return_annotation
        given = tuple(parameters.values())
        declared = Operation(
            name, effect, profiles, cli, checked, given, returns, named=title, repeatable=idempotent
        )
        checked.__dict__["__operation__"] = declared
        return checked

    return declare


def declared_in(noun: type, path: str = "") -> list[Operation]:
    """The operations that a class of the SDK declares, in the order of its text: its own, then those of the classes that it is
    made of. `path` leads to it from the client.
    """
    found = [
        (name, getattr(member, "__operation__", None))
        for part in noun.__mro__
        for name, member in vars(part).items()
    ]
    return [
        replace(declared, noun=path, cli=declared.cli or (*path.split("."), name.replace("_", "-")))
        for name, declared in found
        if isinstance(declared, Operation)
    ]


def _described(parameter: inspect.Parameter) -> Argument | None:
    """The Argument in a parameter's annotation; None for `self` and for what only Python callers can give."""
    if parameter.name == "self":
        return None
    described = get_args(parameter.annotation)[1:] if get_origin(parameter.annotation) is Annotated else ()
    if any(isinstance(item, SdkOnly) for item in described):
        return None
    for item in described:
        if isinstance(item, Argument):
            return item
    raise TypeError(f"parameter {parameter.name} has no Argument: describe it in models/arguments.py")


def _parameter(parameter: inspect.Parameter, argument: Argument, profiles: Profiles) -> Parameter:
    required = parameter.default is inspect.Parameter.empty
    default = None if required else parameter.default
    taken = argument.wire or _without_none(get_args(parameter.annotation)[0])
    return Parameter(parameter.name, taken, argument, required, default, profiles)


def _without_none(taken: object) -> object:
    """What is not given is left out; no door but the SDK spells it as null."""
    if get_origin(taken) not in (Union, UnionType):
        return taken
    others = tuple(item for item in get_args(taken) if item is not NoneType)
    return others[0] if len(others) == 1 else Union[others]  # noqa: UP007 - a tuple of types
