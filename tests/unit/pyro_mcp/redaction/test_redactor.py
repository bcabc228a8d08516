"""What is left of a text that has secrets in it."""

import base64
import json
import textwrap
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pyro_mcp.redaction import Redactor, marker

TOKEN = b"ghp_s3cr3t/t0ken+for'you\\x"
# Values like those that people have: printable, of the least length pyro takes and more.
values = st.text(
    st.characters(
        min_codepoint=32,
        max_codepoint=0x2FFF,
        exclude_categories=("Cs", "Zs", "Cc", "Zl", "Zp"),
        exclude_characters="~.,",
    ),
    min_size=8,
    max_size=40,
)
# No letter of a marker's name matters to these: what surrounds a value is not part of one.
around = st.text("~.,\n", max_size=20)
SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": lambda value: value,
    "quoted in a URL": lambda value: quote(value, safe=""),
    "quoted in a path": quote,
    "quoted in a query": lambda value: quote_plus(value).lower() if "%" not in value else quote_plus(value),
    "JSON": lambda value: json.dumps(value)[1:-1],
    "JSON as it is": lambda value: json.dumps(value, ensure_ascii=False)[1:-1],
    "hexadecimal": lambda value: value.encode().hex(),
    "hexadecimal in capitals": lambda value: value.encode().hex().upper(),
    "a fingerprint": lambda value: value.encode().hex(":"),
    "a dump": lambda value: value.encode().hex(" ", 2),
    "lines of hexadecimal": lambda value: "\n".join(textwrap.wrap(value.encode().hex(), 6)),
}


def redacted(data: bytes, *secrets: bytes, size: int | None = None) -> bytes:
    """What a redactor makes of a stream that comes in pieces of so many bytes."""
    redactor = Redactor({f"S{number}": value for number, value in enumerate(secrets)})
    step = size or max(1, len(data))
    fed = b"".join(redactor.feed(data[at : at + step]) for at in range(0, len(data), step))
    return fed + redactor.finish()


@pytest.mark.parametrize("spelling", SPELLINGS)
@settings(deadline=None, max_examples=50)
@given(value=values, before=around, after=around)
def test_every_spelling_is_replaced_and_nothing_else(
    spelling: str, value: str, before: str, after: str
) -> None:
    if spelling == "quoted in a query" and value.lower() != value:
        value = value.lower()
    text = before + SPELLINGS[spelling](value) + after
    secret = {"S": value.encode()}
    assert Redactor(secret).text(text) == before + marker("S") + after


@settings(deadline=None, max_examples=50)
@given(value=st.binary(min_size=8, max_size=80), before=st.binary(max_size=4), after=st.binary(max_size=4))
@example(value=b"\xff" * 8, before=b"", after=b"")
@example(value=b"\x00\x00\x00\x00\x00\r\n\x00", before=b"", after=b"")
@example(value=b"\r\nkey\r\nof\r\nlines\r\n", before=b"a", after=b"")
def test_base64_of_a_longer_text_hides_the_value_in_it(value: bytes, before: bytes, after: bytes) -> None:
    bare = value.strip()
    if len(bare) < 8:
        return
    for encode in (base64.b64encode, base64.urlsafe_b64encode, base64.encodebytes):
        clean = redacted(encode(before + value + after), value)
        assert marker("S0").encode() in clean
        # What is left are the characters that also depend on what stands around it: four bytes of it at most on either side.
        rest = clean.replace(marker("S0").encode(), b"")
        assert len(rest) <= 4 * (len(before) + len(after) + len(value) - len(bare)) + 10


@settings(deadline=None, max_examples=50)
@given(
    st.lists(
        st.sampled_from([b"a", b"ab", b"abababab", b"babababa", b"c", b"abababababc", b"\n"]), max_size=12
    ),
    st.integers(1, 7),
)
def test_how_a_stream_is_cut_changes_nothing(parts: list[bytes], size: int) -> None:
    data, secrets = b"".join(parts), (b"abababab", b"babababc", b"abababababc")
    whole = redacted(data, *secrets)
    assert redacted(data, *secrets, size=size) == whole
    assert not any(secret in whole for secret in secrets)


@settings(deadline=None, max_examples=50)
@given(st.binary(max_size=200), st.integers(1, 9))
def test_what_holds_no_secret_comes_through_unchanged(data: bytes, size: int) -> None:
    if marker("S0").encode() not in redacted(data, TOKEN):
        assert redacted(data, TOKEN, size=size) == data


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 60), st.sampled_from(["plain", "base64", "percent", "hex", "HEX"]))
def test_every_way_to_cut_every_spelling(size: int, spelling: str) -> None:
    encoded = {
        "plain": TOKEN,
        "base64": base64.b64encode(b"x" + TOKEN),
        "percent": quote(TOKEN, safe="").encode(),
        "hex": TOKEN.hex().encode(),
        "HEX": TOKEN.hex().upper().encode(),
    }
    data = b"before " + encoded[spelling] + b" after"
    clean = redacted(data, TOKEN, size=size)
    assert clean == redacted(data, TOKEN)
    assert b"[redacted:S0]" in clean
    assert encoded[spelling] not in clean


def test_overlapping_values_are_covered_whole() -> None:
    assert redacted(b"<abcdefghijkl>", b"abcdefgh", b"efghijkl") == b"<[redacted:S0]>"


def test_the_longer_of_two_values_with_one_beginning_is_named() -> None:
    assert redacted(b"<abcdefghijkl>", b"abcdefgh", b"abcdefghijkl", size=3) == b"<[redacted:S1]>"
    assert redacted(b"<abcdefghijk>", b"abcdefgh", b"abcdefghijkl", size=3) == b"<[redacted:S0]ijk>"


def test_an_endless_run_of_one_value_holds_no_more_than_its_length() -> None:
    redactor = Redactor({"A": b"aaaaaaaa"})
    given = b"".join(redactor.feed(b"aaaaa") for _ in range(1000))
    assert given == b"[redacted:A]"
    assert redactor.finish() == b""


def test_only_the_possible_beginning_of_a_value_is_held() -> None:
    redactor = Redactor({"T": TOKEN})
    assert redactor.feed(b"root@ws:/workspace# ghp_s3") == b"root@ws:/workspace# "
    assert redactor.holds
    assert redactor.feed(b"!") == b"ghp_s3!"
    assert not redactor.holds


def test_the_lines_of_a_key_are_secrets_too() -> None:
    key = b"-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0\nBAQEFAASCBKcwggSjAgEAAo\n-----END KEY-----\n"
    assert redacted(b"x " + key + b"y", key) == b"x [redacted:S0]\ny"
    assert redacted(key.replace(b"\n", b"\r\n"), key) == b"[redacted:S0]\r\n"
    assert redacted(b"+BAQEFAASCBKcwggSjAgEAAo", key) == b"+[redacted:S0]"
    assert redacted(b"-----BEGIN KEY-----", key) == b"-----BEGIN KEY-----"


def test_bytes_that_are_no_text_are_found_too() -> None:
    value = b"\xff\xfe\x00\x01\x02\x03\x04\x05"
    assert redacted(b"<" + value + b">", value) == b"<[redacted:S0]>"
    assert redacted(quote(value).encode(), value) == b"[redacted:S0]"


def test_a_text_that_is_no_unicode_comes_through() -> None:
    redactor = Redactor({"T": TOKEN})
    assert redactor.text("\udcff\ud800 " + TOKEN.decode()) == "\udcff\ud800 [redacted:T]"
    assert redactor.text("caf\udce9 " + TOKEN.decode()) == "caf\udce9 [redacted:T]"


def test_fresh_ones_share_the_secrets_and_nothing_else() -> None:
    first = Redactor({"T": TOKEN})
    first.feed(TOKEN[:5])
    assert first.fresh().feed(b"x") == b"x"
    assert first.finish() == TOKEN[:5]


def test_the_secrets_of_a_file_are_named() -> None:
    redactor = Redactor({"T": TOKEN, "U": b"something else"})
    assert redactor.names_in([b"abc" + TOKEN[:7], TOKEN[7:]]) == ("T",)
    assert redactor.names_in([b"nothing"]) == ()


def test_without_secrets_everything_is_as_it_is() -> None:
    redactor = Redactor({})
    assert redactor.feed(b"x") + redactor.finish() == b"x"
    assert redactor.text("x") == "x"
    assert redactor.names_in([b"x"]) == ()
