"""Every concept that callers pass in, described once: its sentence, its limits, and the check that all doors share."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, BinaryIO, Literal, get_args, get_origin

from pyro_mcp.errors import InvalidRequest
from pyro_mcp.models.encoding import JsonObject
from pyro_mcp.models.network import NetworkPolicy
from pyro_mcp.models.run import OnOutput

# The kernel's own limits (MAX_ARG_STRLEN, and a quarter of an 8 MiB stack for all of argv and env together), so that the
# refusal comes before a machine does.
_LONGEST_WORD = 128 * 1024 - 1
_WORTH_TELLING = 4000
_LONGEST_COMMAND = 2 * 1024 * 1024


@dataclass(frozen=True, kw_only=True, repr=False)
class Argument:
    """What an annotation says about a value: `text` for people and models, limits for everybody.

    `also` checks what limits cannot say: it is given the value and answers what is wrong with it, or None. `wire` is the
    type that the other doors take where it is narrower than the SDK's. `through_mcp` is what a model's call means when it
    does not give the value, where that is not the signature's default: a model cannot wait or read without end.
    `unset` is what people are shown as the default of what is left out, where that is None. `form` puts `pattern` into words.
    `any_bytes` marks what need not be UTF-8: names and contents of files.
    `host_path` marks a path on the host, which MCP callers may give only below the server's roots. `obvious`: its name tells a
    model enough, whose every tool is to be read whole.
    """

    text: str
    pattern: str | None = None
    form: str = ""
    minimum: float | None = None
    maximum: float | None = None
    also: Callable[[object], str | None] | None = None
    hint: str | None = None
    wire: object = None
    through_mcp: int | float | None = None
    unset: str = ""
    host_path: bool = False
    any_bytes: bool = False
    obvious: bool = False

    def __repr__(self) -> str:
        return f"Argument({self.text!r})"  # where `help` shows an annotation

    def fault(self, value: object) -> str | None:
        """Tell what is wrong with `value`, completing "NAME …"; None when nothing is."""
        if self.pattern is not None and not (isinstance(value, str) and re.fullmatch(self.pattern, value)):
            return f"{_shown(value)} is not of the form {self.form or self.pattern}"
        if self.minimum is not None or self.maximum is not None:
            return self._range_fault(value)
        return self.also(value) if self.also is not None else None

    def _range_fault(self, value: object) -> str | None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return f"{_shown(value)} is not a number"
        if self.minimum is not None and not value >= self.minimum:  # "not >=" refuses NaN as well
            return f"is {_plain(value)}; the least is {_plain(self.minimum)}"
        if self.maximum is not None and not value <= self.maximum:
            return f"is {_plain(value)}; the most is {_plain(self.maximum)}"
        return None

    def json_schema(self) -> JsonObject:
        """The same as JSON Schema keywords, but for limits that nobody meets by accident: a model reads every character."""
        facts = {
            "pattern": None if self.hint else self.pattern,
            "minimum": None if self.minimum in (0, 1) else self.minimum,
            "maximum": None if (self.maximum or 0) > _WORTH_TELLING else self.maximum,
        }
        told = {} if self.obvious else {"description": self.text}
        return {**told, **{key: fact for key, fact in facts.items() if fact is not None}}


@dataclass(frozen=True)
class SdkOnly:
    """Marks a parameter that only a Python caller can give; the other doors have their own way."""


def check(name: str, value: object, argument: Argument) -> None:
    """Raise InvalidRequest when the argument called `name` cannot be taken."""
    if fault := argument.fault(value):
        raise InvalidRequest(f"{name} {fault}", hint=argument.hint or f"{name}: {argument.text}")


def check_kind(name: str, value: object, kind: object, argument: Argument) -> None:
    """Raise InvalidRequest when a value is not of the plain kind that an argument is: a word of a choice, a flag, a text."""
    fault = None
    if get_origin(kind) is Literal and value not in get_args(kind):
        fault = f"{_shown(value)} is not one of {', '.join(map(str, get_args(kind)))}"
    elif kind is bool and not isinstance(value, bool):
        fault = f"{_shown(value)} is neither True nor False"
    elif kind is int and (isinstance(value, bool) or not isinstance(value, int)):
        fault = f"{_shown(value)} is not a whole number"
    elif kind is str and argument.wire is None:
        fault = _text_fault(value, argument)
    if fault:
        raise InvalidRequest(f"{name} {fault}", hint=argument.hint or f"{name}: {argument.text}")


def _text_fault(value: object, argument: Argument) -> str | None:
    if not isinstance(value, str):
        return f"{_shown(value)} is not a string"
    return None if argument.any_bytes or is_text(value) else "has bytes that are no UTF-8 text"


def is_text(value: str) -> bool:
    """Tell whether a string is characters alone: names that are not UTF-8 come with halves of surrogate pairs."""
    return not any("\ud800" <= character <= "\udfff" for character in value)


def _plain(number: float) -> str:
    """A number in digits: 1048576, not 1.04858e+06."""
    return str(int(number)) if math.isfinite(number) and number == int(number) else f"{number:g}"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _command_fault(value: object) -> str | None:
    words = [value] if isinstance(value, str) else value
    if not isinstance(words, Sequence) or not all(isinstance(word, str) for word in words):
        return f"{_shown(value)} is neither a string nor a list of strings"
    if not words or not words[0].strip():
        return "is empty"
    if any("\0" in word for word in words):
        return "contains a NUL character, which no program can be given"
    if any(map(_has_halves, words)):
        return "has half of a surrogate pair, which stands for no bytes"
    sizes = [len(word.encode(errors="surrogateescape")) for word in words]
    if max(sizes) > _LONGEST_WORD or sum(sizes) > _LONGEST_COMMAND:
        return f"is {sum(sizes)} bytes long, more than the kernel takes"
    return None


def _has_halves(text: str) -> bool:
    """Tell whether a string is neither text nor, as the system writes names that are not UTF-8, bytes."""
    try:
        text.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        return True
    return False


def _env_fault(value: object) -> str | None:
    if not isinstance(value, Mapping):
        return f"{_shown(value)} is not a mapping of names to values"
    for key, item in value.items():
        if not isinstance(key, str) or not isinstance(item, str):
            return f"has {_shown(key)}, whose name and value are not both strings"
        if not key or "=" in key or "\0" in key + item:
            return f"has {_shown(key)}: a name must not be empty or contain '=', and neither may contain NUL"
        if _has_halves(key + item):
            return f"has {_shown(key)} with half of a surrogate pair, which stands for no bytes"
    return None


def words_fault(value: object) -> str | None:
    """Tell what is wrong with a list of strings."""
    if isinstance(value, str) or not isinstance(value, Sequence):
        return "is not a list of strings"
    return None if all(isinstance(item, str) for item in value) else "is not a list of strings"


EnvironmentRef = Annotated[
    str,
    Argument(
        text="debian:12 (git, python3), debian:12-build (+ compilers, pip, pytest, node) or debian:12-base.",
        pattern=r"^[a-z0-9][a-z0-9._/-]*(:[\w.-]+)?$",
        form="debian:12",
        hint="An environment's name looks like debian:12. `<<vm_list_environments>>` shows them.",
    ),
]
Command = Annotated[
    str | Sequence[str],
    Argument(
        text="String for sh -c, or list of words.",
        also=_command_fault,
        hint="Give <<command>> as a string for `sh -c`, or as a list of words.",
    ),
]
NetworkPolicyArgument = Annotated[
    NetworkPolicy,
    Argument(
        text="egress lets it reach public hosts by TCP; +published-ports lets this computer in, too. It stays so."
    ),
]
AllowHosts = Annotated[
    Sequence[str],
    Argument(text="Only these: HOST, *.DOMAIN, HOST:PORT, or an address.", also=words_fault),
]
NoHostCa = Annotated[
    bool, Argument(text="Do not hand in the certificates that this computer has added to its own.")
]
EnvMapping = Annotated[Mapping[str, str], Argument(text="Variables to add.", also=_env_fault)]
Stdin = Annotated[
    str | bytes | BinaryIO | None,
    Argument(text="The command's input.", wire=str, obvious=True),
]
VcpuCount = Annotated[int, Argument(text="Virtual CPUs.", obvious=True, minimum=1, maximum=32)]
MemMib = Annotated[int, Argument(text="Memory in MiB.", obvious=True, minimum=128, maximum=1024 * 1024)]
# A week: longer than any command that somebody waits for.
TimeoutSeconds = Annotated[
    float, Argument(text="Stop the command after this.", minimum=0.1, maximum=7 * 24 * 3600)
]
OutputListener = Annotated[OnOutput | None, SdkOnly()]
RequiredIsolation = Literal["hardware"] | None
RequiredConfinement = Literal["full"] | None
