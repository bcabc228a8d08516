"""The newest bytes, by position."""

from pyro_mcp.keeper.shells.ring import Ring


def test_positions_stay_what_they_were_when_the_oldest_is_let_go() -> None:
    ring = Ring(kept=1000)
    data = bytes(number % 251 for number in range(600_000))
    for start in range(0, len(data), 7001):
        ring.add(data[start : start + 7001])
    assert ring.end == len(data)
    assert 0 < ring.start <= len(data) - 1000
    assert ring.read(ring.start, 1 << 20) == data[ring.start :]
    assert ring.read(len(data) - 10, 4) == data[-10:-6]
    assert ring.read(0, 5) == data[ring.start : ring.start + 5]
    assert ring.read(len(data) + 5, 5) == b""
