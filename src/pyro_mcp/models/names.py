"""Write a guest's file name, which is bytes, so that it fits into text and JSON."""

import base64
import re
from urllib.parse import unquote_to_bytes

_UNDECODABLE = re.compile("[\udc80-\udcff%]")


def display_name(name: bytes) -> str:
    """Give a name as text: as it is when it is UTF-8, else with `%` and every stray byte percent-escaped."""
    try:
        return name.decode()
    except UnicodeDecodeError:
        text = name.decode(errors="surrogateescape")
        return _UNDECODABLE.sub(lambda found: f"%{ord(found.group()) & 0xFF:02X}", text)


def name_behind(text: str) -> bytes | None:
    """Give the name that `display_name` wrote with escapes; None where it wrote none."""
    if "%" not in text:
        return None
    name = unquote_to_bytes(text.encode("utf-8", "surrogatepass"))
    return name if exact_name(name) is not None and display_name(name) == text else None


def exact_name(name: bytes) -> str | None:
    """Give the bytes in base64 where `display_name` had to escape, else None."""
    try:
        name.decode()
    except UnicodeDecodeError:
        return base64.b64encode(name).decode()
    return None
