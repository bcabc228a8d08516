"""A log without end in bounded room, whose positions stay what they are."""

from pathlib import Path

import pytest

from pyro_mcp.keeper.services.log import PIECES_KEPT, ServiceLog, pieces, read_pieces


def test_positions_survive_the_pieces_that_go(tmp_path: Path) -> None:
    log = ServiceLog(tmp_path, piece_bytes=10)
    written = b"".join(b"%03d\n" % number for number in range(100))
    for start in range(0, len(written), 7):
        log.write(written[start : start + 7])
    log.close()
    assert log.size == len(written)
    assert len(pieces(tmp_path)) == PIECES_KEPT
    first = pieces(tmp_path)[0]
    assert first == 370
    assert b"".join(read_pieces(tmp_path, 0, 1000)) == written[first:]
    assert b"".join(read_pieces(tmp_path, 385, 8)) == written[385:393]
    assert read_pieces(tmp_path, 400, 10)[-1] == b""


def test_the_tail_spans_pieces(tmp_path: Path) -> None:
    log = ServiceLog(tmp_path, piece_bytes=4)
    log.write(b"abcdefghij")
    assert log.tail(5) == b"fghij"
    assert log.tail(100) == b"abcdefghij"
    log.close()


def test_a_full_disk_loses_output_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = ServiceLog(tmp_path)
    log.write(b"kept")

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.write", full)
        log.write(b"lost")
    log.write(b"!")
    assert log.tail(10) == b"kept!"
    log.close()
