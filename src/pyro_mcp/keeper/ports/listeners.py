"""Ports of this host that lead into the machine: each is a listener here, whose connections end inside the guest."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterable
from dataclasses import asdict
from functools import partial

from pyro_mcp.keeper.lines.loop import READ, Loop
from pyro_mcp.keeper.lines.switchboard import Switchboard
from pyro_mcp.keeper.ports.forwarding import Forward
from pyro_mcp.keeper.ports.port import Port, family_of
from pyro_wire.faults import Fault
from pyro_wire.messages import Message

_BACKLOG = 256
# A quarter of the agent's streams; each may hold 256 KiB for a client that does not read. More wait to be accepted.
MOST_AT_ONCE = 256
# Out of descriptors, or the agent's line is full: that passes.
_PAUSE_SECONDS = 0.1


class Ports:
    """The listeners of one machine, and what goes through them."""

    def __init__(self, loop: Loop, board: Switchboard) -> None:
        self._loop = loop
        self._board = board
        self._listeners: dict[Port, socket.socket] = {}
        self._closed: dict[Port, str] = {}
        self._forwards: dict[Forward, Port] = {}
        self._listening = True

    def open_all(self, ports: Iterable[Port]) -> Fault | None:
        """Open all of them, or none: then the Fault says which cannot be."""
        opened: list[Port] = []
        for port in ports:
            fault = self._open(port)
            if fault is not None:
                for other in opened:
                    self._close(other)
                return fault
            opened.append(port)
        return None

    def reopen(self, ports: Iterable[Port]) -> None:
        """Open those that can be, and remember why others cannot: somebody may have taken one meanwhile."""
        for port in ports:
            fault = self._open(port)
            if fault is not None:
                self._closed[port] = fault.brief

    def close_of(self, service: str) -> None:
        """Let nobody else in through a service's ports; connections that stand go on."""
        for port in [port for port in self._listeners if port.service == service]:
            self._close(port)
        self._closed = {port: why for port, why in self._closed.items() if port.service != service}

    def close(self) -> None:
        """Close every listener and reset every connection."""
        for port in list(self._listeners):
            self._close(port)
        for forward in list(self._forwards):
            forward.reset()

    def told(self) -> list[Message]:
        """List the ports: where each is, and why one is not open."""
        opened: list[Message] = [{**asdict(port), "closed": None} for port in self._listeners]
        return opened + [{**asdict(port), "closed": why} for port, why in self._closed.items()]

    def _open(self, port: Port) -> Fault | None:
        family = family_of(port.address)
        try:
            listener = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        except OSError as error:
            return _refusal(port, error)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.bind((port.address, port.host_port))
            listener.listen(_BACKLOG)
        except OSError as error:
            listener.close()
            return _refusal(port, error)
        self._listeners[port] = listener
        self._watch()
        return None

    def _close(self, port: Port) -> None:
        listener = self._listeners.pop(port)
        self._loop.forget(listener)
        listener.close()

    def _watch(self) -> None:
        """Accept while there is room; who comes later waits in the kernel."""
        interest = READ if self._listening and len(self._forwards) < MOST_AT_ONCE else 0
        for port, listener in self._listeners.items():
            self._loop.watch(listener, interest, partial(self._accept, port))

    def _accept(self, port: Port, _: int) -> None:
        if self._board.agent.congested:
            self._pause()
            return
        try:
            connection, _ = self._listeners[port].accept()
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                self._pause()
            return
        forward = Forward(self._loop, self._board, connection, port.guest_port, self._ended)
        if not forward.over:
            self._forwards[forward] = port
            self._watch()

    def _pause(self) -> None:
        self._listening = False
        self._watch()
        self._loop.after(_PAUSE_SECONDS, self._go_on)

    def _go_on(self) -> None:
        self._listening = True
        self._watch()

    def _ended(self, forward: Forward) -> None:
        if self._forwards.pop(forward, None) is not None:
            self._watch()


def _refusal(port: Port, error: OSError) -> Fault:
    reason = os.strerror(error.errno or 0)
    if error.errno == errno.EADDRINUSE:
        return Fault(
            "conflict",
            f"{port} is in use on this host",
            None,
            "Publish another host port; 0 lets pyro choose.",
        )
    if error.errno == errno.EACCES:
        return Fault(
            "host_unfit", f"{port} may not be opened: {reason}", None, "Publish a host port from 1024 on."
        )
    return Fault(
        "invalid_request", f"{port} cannot be opened: {reason}", None, "Name an address of this host."
    )
