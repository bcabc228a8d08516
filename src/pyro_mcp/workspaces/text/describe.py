"""Put the place that somebody probably meant into words."""

from collections.abc import Iterator

from pyro_mcp.models.nearest import LineDifference, NearMatch


def describe_near(near: NearMatch) -> Iterator[str]:
    """Give a near match as indented lines: where, and what differs."""
    lines = (
        f"line {near.start_line}"
        if near.start_line == near.end_line
        else f"lines {near.start_line}-{near.end_line}"
    )
    yield f"    nearest: {lines} ({near.similarity:.0%} alike)"
    for difference in near.differences:
        yield from _describe_difference(difference)


def _describe_difference(one: LineDifference) -> Iterator[str]:
    if one.wanted is None:
        yield f"      line {one.line} is only in the file: {_raw(one.file)}"
    elif one.file is None:
        yield f"      not in the file: {_raw(one.wanted)}"
    else:
        yield f"      line {one.line} differs in {one.difference.replace('_', ' ')}:"
        yield f"        wanted: {_raw(one.wanted)}"
        yield f"        is:     {_raw(one.file)}"


def _raw(line: str | None) -> str:
    """A line as it is, to be copied: only what nobody sees is spelled, controls and a space or tab at its end."""
    text = "".join(one if one.isprintable() or one == "\t" else ascii(one)[1:-1] for one in line or "")
    bare = text.rstrip(" \t")
    return text if bare == text else bare + text[len(bare) :].replace(" ", "\\x20").replace("\t", "\\t")
