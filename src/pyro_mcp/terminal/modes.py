"""What programs switch on and off in a terminal, as far as it changes what is read from it or what keys send."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Modes:
    """The switches. `left_on` are those that only matter to a person's terminal: it has to be put right afterwards."""

    wrap: bool = True
    insert: bool = False
    origin: bool = False
    new_line: bool = False
    application_keys: bool = False
    left_on: set[int] = field(default_factory=set)

    def set(self, private: str, number: int, *, on: bool) -> None:
        """Switch one; unknown ones are ignored."""
        name = _NAMES.get((private, number))
        if name is not None:
            setattr(self, name, on)
        if private == "?" and number in _PERSONAL:
            (self.left_on.add if on != _PERSONAL[number] else self.left_on.discard)(number)

    def soft_reset(self) -> None:
        """Put back what DECSTR does."""
        self.wrap, self.insert, self.origin, self.application_keys = True, False, False, False


_NAMES = {
    ("", 4): "insert",
    ("", 20): "new_line",
    ("?", 1): "application_keys",
    ("?", 6): "origin",
    ("?", 7): "wrap",
}
# Number: whether it is on by default. The cursor, mouse reports, focus reports, bracketed paste.
_PERSONAL = {
    1: False,
    25: True,
    **dict.fromkeys((9, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1015, 2004), False),
}
