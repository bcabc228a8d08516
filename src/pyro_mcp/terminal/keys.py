"""Keys by name, and what a terminal sends for them."""

from __future__ import annotations

import string

_ESC = "\x1b"
_PLAIN = {
    "enter": "\r",
    "return": "\r",
    "tab": "\t",
    "esc": _ESC,
    "escape": _ESC,
    "space": " ",
    "backspace": "\x7f",
    "shift-tab": f"{_ESC}[Z",
    "insert": f"{_ESC}[2~",
    "delete": f"{_ESC}[3~",
    "page-up": f"{_ESC}[5~",
    "page-down": f"{_ESC}[6~",
    "pageup": f"{_ESC}[5~",
    "pagedown": f"{_ESC}[6~",
    "ctrl-space": "\0",
    "ctrl-\\": "\x1c",
    "ctrl-]": "\x1d",
    "ctrl-_": "\x1f",
    "f1": f"{_ESC}OP",
    "f2": f"{_ESC}OQ",
    "f3": f"{_ESC}OR",
    "f4": f"{_ESC}OS",
    **{
        f"f{number}": f"{_ESC}[{code}~"
        for number, code in zip(range(5, 13), (15, 17, 18, 19, 20, 21, 23, 24), strict=True)
    },
    **{f"ctrl-{letter}": chr(ord(letter) - 96) for letter in string.ascii_lowercase},
    **{f"alt-{sign}": f"{_ESC}{sign}" for sign in string.ascii_lowercase + string.digits + ".,/<>"},
}
# These are told apart by whether a program asked for it (DECCKM), and take modifiers.
_ARROWS = {"up": "A", "down": "B", "right": "C", "left": "D", "home": "H", "end": "F"}
_MODIFIERS = {"shift-": 2, "alt-": 3, "ctrl-": 5}
_MODIFIED = {
    f"{prefix}{name}": f"{_ESC}[1;{number}{letter}"
    for prefix, number in _MODIFIERS.items()
    for name, letter in _ARROWS.items()
}
NAMES = (*_PLAIN, *_ARROWS, *_MODIFIED)
# After these a shell prompts anew, or what runs may end: whoever waits for the prompt waits for the next.
_ENTERING = frozenset({"enter", "return", "ctrl-c", "ctrl-d", "ctrl-m", "ctrl-j", "ctrl-\\"})


def key_bytes(name: str, *, application: bool) -> bytes:
    """Give what a key sends; `application` as the program at the other end has asked. Raises KeyError for no key."""
    if _is_sign(name):
        return name.encode()
    known = name.lower()
    if known in _ARROWS:
        return f"{_ESC}{'O' if application else '['}{_ARROWS[known]}".encode()
    return (_PLAIN | _MODIFIED)[known].encode()


def is_key(name: str) -> bool:
    """Tell whether there is such a key: one with a name, or a single character such as q or :."""
    return _is_sign(name) or name.lower() in NAMES


def _is_sign(name: str) -> bool:
    return len(name) == 1 and name.isprintable()


def near_key(name: str) -> str | None:
    """Give the key that was probably meant."""
    import difflib  # for people who mistype; the keeper never needs it

    spelt = name.lower().replace("_", "-").replace("+", "-").replace("control", "ctrl").replace("^", "ctrl-")
    spelt = f"ctrl-{spelt[2:]}" if spelt.startswith("c-") else spelt
    return next(iter(difflib.get_close_matches(spelt, NAMES, n=1)), None)


def enters(name: str) -> bool:
    """Tell whether a shell takes the key for the end of a line."""
    return name.lower() in _ENTERING


def typed(text: str, *, at_prompt: bool) -> bytes:
    """Give what typing a text sends: at the end of a line that is Enter.

    At a shell's prompt it is a line feed, which a shell takes for the same: what follows the first line may be read by the
    command in it, when the terminal has taken it already, and no longer makes the one of the other.
    """
    data = text.replace("\r\n", "\n").encode("utf-8", "replace")
    return data if at_prompt else data.replace(b"\n", b"\r")
