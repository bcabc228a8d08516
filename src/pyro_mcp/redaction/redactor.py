"""Replace secret values in a stream of bytes, however it is cut into pieces."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from pyro_mcp.redaction.spellings import Form, forms_of


def marker(name: str) -> str:
    """What stands in the place of a value."""
    return f"[redacted:{name}]"


class _Search:
    """Where secrets may begin, found at the speed of a regular expression, and what is there."""

    def __init__(self, forms: list[Form]) -> None:
        self._forms: dict[bytes, list[Form]] = {}
        anchors: dict[int, set[bytes]] = {}
        for form in forms:
            begun = form.anchors()
            for anchor in begun:
                anchors.setdefault(anchor[0], set()).add(anchor[1:])
            for beginning in {anchor[:2] for anchor in begun}:
                self._forms.setdefault(beginning, []).append(form)
        self._anchor = re.compile(b"|".join(_either(*item) for item in sorted(anchors.items())), re.DOTALL)
        whole = [bytes([first]) + rest for first, rests in anchors.items() for rest in rests]
        self._cut = frozenset(anchor[:size] for anchor in whole for size in range(1, len(anchor)))
        self._longest = max(map(len, whole))

    def candidates(self, data: bytes) -> Iterator[tuple[int, list[Form]]]:
        """Give, in order, the places where a value may stand, and which."""
        found = self._anchor.search(data)
        while found is not None:
            at = found.start()
            yield at, self._forms[data[at : at + 2]]
            found = self._anchor.search(data, at + 1)

    def cut_off(self, data: bytes) -> int:
        """Where the first beginning stands that is too short to be recognised; the length where there is none."""
        for at in range(max(0, len(data) - self._longest + 1), len(data)):
            if data[at:] in self._cut:
                return at
        return len(data)


def _either(first: int, rests: set[bytes]) -> bytes:
    """One branch per first byte: the expression leaves all other bytes out at the speed of C."""
    choices = b"|".join(re.escape(rest) for rest in sorted(rests))
    return re.escape(bytes([first])) + b"(?:" + choices + b")"


class Redactor:
    """Puts `[redacted:NAME]` where a secret stands, in one stream. Without secrets it gives everything as it is.

    A value counts as it is, percent-encoded, escaped in JSON, in hexadecimal and in base64 (spellings.py). What may be the
    beginning of one is held until more comes or `finish` is called: at most the longest spelling of the longest value.
    Where values overlap, all that any of them covers is replaced.
    """

    def __init__(self, secrets: Mapping[str, bytes]) -> None:
        forms = [form for name, value in secrets.items() for form in forms_of(name, value)]
        self._search = _Search(forms) if forms else None
        self._begin()

    def fresh(self) -> Redactor:
        """Give another one for the same secrets, for another stream; cheap."""
        other = object.__new__(Redactor)
        other._search = self._search
        other._begin()
        return other

    def _begin(self) -> None:
        self._held = b""
        self._covered = 0  # so many bytes of what is held are part of a value whose marker has been given
        self.found: set[str] = set()

    @property
    def knows_any(self) -> bool:
        """Whether there is anything to look for."""
        return self._search is not None

    @property
    def holds(self) -> bool:
        """Whether something waits for what comes next."""
        return len(self._held) > self._covered

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes of the stream; give what is sure by now."""
        return self._pass(data, final=False) if self._search is not None else bytes(data)

    def finish(self) -> bytes:
        """Give the rest; the next stream may begin."""
        return self._pass(b"", final=True)

    def text(self, text: str) -> str:
        """Give a text of its own, redacted."""
        if self._search is None:
            return text
        alone = self.fresh()
        data, errors = _encoded(text)
        clean = alone.feed(data) + alone.finish()
        self.found |= alone.found
        return clean.decode(errors=errors) if alone.found else text

    def names_in(self, parts: Iterable[bytes]) -> tuple[str, ...]:
        """Tell which secrets stand in a file or the like, given in parts."""
        if self._search is None:
            return ()
        alone = self.fresh()
        for part in parts:
            alone.feed(part)
        alone.finish()
        return tuple(sorted(alone.found))

    def _pass(self, data: bytes, *, final: bool) -> bytes:
        if self._search is None:
            return b""
        data = self._held + data
        hold = len(data) if final else self._search.cut_off(data)
        given: list[bytes] = []
        covered = self._covered  # all before this has been given, or is replaced
        for at, forms in self._search.candidates(data):
            if at >= hold:
                break
            end, name, unsure = _longest(forms, data, at)
            if unsure and not final:
                hold = at
                break
            if end is None:
                continue
            if at >= covered:
                given += (data[covered:at], marker(name).encode())
            covered = max(covered, end)
            self.found.add(name)
        given.append(data[covered:hold])
        self._held, self._covered = data[hold:], max(0, covered - hold)
        return b"".join(given)


def _longest(forms: list[Form], data: bytes, at: int) -> tuple[int | None, str, bool]:
    best: int | None = None
    name, unsure = "", False
    for form in forms:
        end, cut = form.reach(data, at)
        unsure = unsure or cut
        if end is not None and (best is None or end > best):
            best, name = end, form.name
    return best, name, unsure


def _encoded(text: str) -> tuple[bytes, str]:
    """Bytes that were no text are what they were; a lone surrogate from somewhere else is left alone."""
    try:
        return text.encode(errors="surrogateescape"), "surrogateescape"
    except UnicodeEncodeError:
        return text.encode(errors="surrogatepass"), "surrogatepass"
