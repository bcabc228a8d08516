"""The probe's first guest, as machine code: what probe_rom.S assembles to (a test compares, where an assembler is there)."""

from __future__ import annotations

_SIZE = 64 * 1024
_JUMP_AT = 0xFFF0
# The processor's first instruction, 16 bytes below the end: a jump to the start of the image.
_JUMP = bytes.fromhex("ea000000f0")
_CODE = bytes.fromhex(
    "fafcbaf803b073ee2e660f0116980031c08ec0bf0010b90018f3ab26c7060010032026c70600200330bf003066b88300"
    "00002666890583c70866050000200081ff004072ed0f20e06683c8200f22e066b8001000000f22d866b9800000c00f32"
    "660d000100000f300f20c0660d010000800f22c066ea9e000f0008008db40000000000000000000000000000009a2000"
    "0000000000920000170080000f00b8100000008ed8bf00001000893f81c70010000081ff0000100272f0b980c3c90169"
    "c06d4ec6410539300000ffc975f166baf803b06beef4ebfd"
)
STARTED, DONE = b"s", b"k"


def image() -> bytes:
    """Give the firmware image: code at its start, the jump to it where the processor starts."""
    return (_CODE.ljust(_JUMP_AT, b"\0") + _JUMP).ljust(_SIZE, b"\0")
