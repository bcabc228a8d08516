"""Keep an answer within what a model can read: the longest parts are cut, and each cut is told."""

import json

from pyro_mcp.models.encoding import JsonObject, JsonValue

# A chat host cuts at about 25,000 tokens; 8,000 of 4 characters leave room for what else was said.
MOST_CHARS = 32_000
MOST_TEXT = MOST_CHARS - 1000
_LEAST_KEPT = 200


def bounded(answer: JsonObject, most: int = MOST_CHARS) -> tuple[JsonObject, list[str]]:
    """Give the answer as it is, or with its longest lists and texts cut until it fits, and what was cut."""
    cuts: list[str] = []
    for _ in range(len(answer)):
        excess = _length(answer) - most
        if excess <= 0:
            break
        name = max(answer, key=lambda key: _length(answer[key]))
        kept, told = _cut(answer[name], max(_length(answer[name]) - excess, _LEAST_KEPT))
        if told is None:
            break
        answer = {**answer, name: kept}
        cuts.append(f"{name}: {told}")
    return answer, cuts


def bounded_text(text: str, cuts: list[str], most: int = MOST_TEXT) -> str:
    """The text with its end cut, where it is too long, or else what was cut of the answer itself: said once, in one line."""
    if len(text) > most:
        end = text.rfind("\n", 0, most)
        kept = text[: end if end > most // 2 else most]
        return f"{kept}\n---\nCut at {len(kept):,} of {len(text):,} characters: ask for less."
    return "\n".join([text, "---", *(f"cut: {cut}" for cut in cuts)]) if cuts else text


def _cut(value: JsonValue, most: int) -> tuple[JsonValue, str | None]:
    if isinstance(value, str):
        kept = value[: max(most * len(value) // _length(value), 1)]
        return kept, f"first {len(kept)} of {len(value)} characters; ask for less"
    if isinstance(value, list) and value:
        size, count = 0, 0
        for item in value:
            size += _length(item) + 2
            if size > most:
                break
            count += 1
        return value[:count], f"first {count} of {len(value)}; ask for less"
    return value, None


def _length(value: JsonValue) -> int:
    return len(json.dumps(value, ensure_ascii=False))
