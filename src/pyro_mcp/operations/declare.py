"""Declare an operation where its SDK method stands: the signature is the declaration, `@operation` adds what it cannot say."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Annotated, Literal, ParamSpec, TypeVar, get_args, get_origin

from pyro_mcp.models.arguments import Argument, SdkOnly, check

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
    """One row of the contract. `cli` is its path on the command line, `method` the SDK's."""

    name: str
    effect: Effect
    profiles: Profiles
    cli: tuple[str, ...]
    method: Callable[..., object]
    parameters: tuple[Parameter, ...]
    returns: object

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


def operation(
    name: str,
    *,
    effect: Effect,
    profiles: Profiles,
    cli: tuple[str, ...],
    only_in: Mapping[str, Profiles] = {},
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a method of the SDK an operation of all doors; its arguments are checked before it is entered.

    `only_in` names the arguments that not every profile of the operation offers.
    """

    def declare(method: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(method)
        described = {name: _described(parameter) for name, parameter in signature.parameters.items()}

        @wraps(method)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            for given, value in signature.bind(*args, **kwargs).arguments.items():
                argument = described[given]
                if argument is not None and value is not signature.parameters[given].default:
                    check(given, value, argument)
            return method(*args, **kwargs)

        parameters = tuple(
            _parameter(signature.parameters[name], argument, only_in.get(name, profiles))
            for name, argument in described.items()
            if argument is not None
        )
        declared = Operation(name, effect, profiles, cli, checked, parameters, signature.return_annotation)
        checked.__dict__["__operation__"] = declared
        return checked

    return declare


def declared_in(noun: type) -> list[Operation]:
    """The operations that a class of the SDK declares, in the order of its text."""
    found = (vars(member).get("__operation__") for member in vars(noun).values() if callable(member))
    return [declared for declared in found if isinstance(declared, Operation)]


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
    taken = argument.wire or get_args(parameter.annotation)[0]
    return Parameter(parameter.name, taken, argument, required, default, profiles)
