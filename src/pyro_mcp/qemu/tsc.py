"""Measure how fast this host's time-stamp counter runs, so that a guest need not calibrate it.

Under emulation the kernel's own short calibration fails whenever the host preempts it, and the boot can then hang for good.
The guest reads the host's counter, so the host may measure it at leisure and hand it over as `tsc_early_khz`.
"""

from __future__ import annotations

import mmap
import time

# rdtsc; shl rdx, 32; or rax, rdx; ret
_READ_COUNTER = bytes.fromhex("0f31 48c1e220 4809d0 c3")
_WINDOW_SECONDS = 0.05
# A measure of 50 ms is good to about 0.01 %: rounding to 1 MHz makes two measures of one host agree nearly always,
# and the result is kept with the host's facts, so that a template's key does not waver.
_ROUND_KHZ = 1000


def measure_khz() -> int:
    """Give the counter's frequency in kHz, rounded to a megahertz."""
    import ctypes  # 3 ms, which nobody pays who measures nothing

    page = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(_READ_COUNTER)
    read = ctypes.CFUNCTYPE(ctypes.c_uint64)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
    started, first = time.monotonic_ns(), read()
    while time.monotonic_ns() - started < _WINDOW_SECONDS * 1e9:
        pass
    ended, last = time.monotonic_ns(), read()
    khz = (last - first) * 1_000_000 / (ended - started)
    return int(max(round(khz / _ROUND_KHZ), 1) * _ROUND_KHZ)
