"""Bring a booted machine to the point at which it is frozen."""

from __future__ import annotations

import socket
from collections.abc import Callable

from pyro_mcp.guest.asking import ask
from pyro_mcp.guest.greeting import greet


def prepare_bare(line: socket.socket, still_possible: Callable[[], None]) -> None:
    """Mount a disk and take it down again: such a machine takes any disk later, and has done it once before."""
    mux = greet(line, still_possible)
    ask(line, mux, {"verb": "rehearse"}, still_possible)


def prepare_fresh(line: socket.socket, still_possible: Callable[[], None]) -> None:
    """Mount the new disk and run one command, so that every machine made from this starts with that behind it."""
    mux = greet(line, still_possible)
    ask(line, mux, {"verb": "prepare"}, still_possible)
    # An environment without `true` answers 127, having warmed the same paths.
    ask(line, mux, {"verb": "exec", "argv": ["true"], "cwd": "/", "timeout_ms": 20_000}, still_possible)
    ask(line, mux, {"verb": "settle"}, still_possible)
