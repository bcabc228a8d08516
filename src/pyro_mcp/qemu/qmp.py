"""Talk to one QEMU's monitor over an inherited socket, one command at a time and each with a deadline."""

from __future__ import annotations

import array
import json
import socket
import time
from collections import deque
from collections.abc import Callable

from pyro_mcp.errors import GuestFailed

# A monitor answer of ours is a few hundred bytes; a QEMU that sends more is not the one we started.
_MAX_ANSWER = 1 << 20
# The last messages, for the log of a machine that failed: a whole start is about 20.
_TOLD = 100
# QEMU's events, each with its name and what it tells.
OnEvent = Callable[[str, "dict[str, Value]"], None]
Value = str | int | bool | None | dict[str, "Value"] | list["Value"]


class MonitorClosed(GuestFailed):
    """QEMU's monitor is gone: the process died or is dying."""


class Monitor:
    """A QMP session. The caller owns the socket's other end and tells QEMU's death apart by watching its process."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._buffer = bytearray()
        self.on_event: OnEvent = lambda _, __: None
        self.transcript: deque[str] = deque(maxlen=_TOLD)

    def negotiate(self, deadline: float) -> None:
        """Take the greeting and leave negotiation mode; `deadline` is on the monotonic clock."""
        self._message(deadline)
        self.execute("qmp_capabilities", deadline=deadline)

    def execute(
        self, command: str, *, deadline: float, descriptor: int | None = None, **arguments: Value
    ) -> Value:
        """Run one command and give its return value; raises GuestFailed with QEMU's own words when it refuses."""
        names = {name.replace("_", "-"): value for name, value in arguments.items()}
        request = json.dumps({"execute": command, **({"arguments": names} if names else {})}).encode()
        self._send(request, descriptor)
        while True:
            message = self._message(deadline)
            if "return" in message:
                return message["return"]
            if "error" in message:
                raise GuestFailed(f"QEMU refused {command}", details=json.dumps(message["error"]))

    def migrated(self, deadline: float) -> bool:
        """Tell whether a migration has ended well; raises when it failed."""
        state = self.execute("query-migrate", deadline=deadline)
        status = state.get("status") if isinstance(state, dict) else None
        if status in ("failed", "cancelled"):
            raise GuestFailed("QEMU could not save or load its state", details=json.dumps(state))
        return status == "completed"

    def fileno(self) -> int:
        return self._socket.fileno()

    def hear(self) -> None:
        """Take what QEMU said unasked; raises MonitorClosed when it has nothing more to say."""
        try:
            chunk = self._socket.recv(65536, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError as error:
            raise MonitorClosed("QEMU's monitor is closed", details=str(error)) from error
        if not chunk:
            raise MonitorClosed("QEMU closed its monitor")
        self._buffer += chunk
        while b"\n" in self._buffer:
            self._message(0.0)

    def close(self) -> None:
        self._socket.close()

    def _send(self, request: bytes, descriptor: int | None) -> None:
        self.transcript.append(f"-> {request.decode()}")
        ancillary = []
        if descriptor is not None:
            ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor]))]
        try:
            self._socket.sendmsg([request], ancillary)
        except OSError as error:
            raise MonitorClosed("QEMU's monitor is closed", details=str(error)) from error

    def _message(self, deadline: float) -> dict[str, Value]:
        while (end := self._buffer.find(b"\n")) < 0:
            self._fill(deadline)
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        self.transcript.append(f"<- {line.decode(errors='replace')[:1000]}")
        try:
            message = json.loads(line)
        except ValueError as error:
            raise GuestFailed(
                "QEMU's monitor sent something that is not JSON", details=repr(line[:200])
            ) from error
        if not isinstance(message, dict):
            raise GuestFailed("QEMU's monitor sent something that is not an object", details=repr(line[:200]))
        if "event" in message:
            told = message.get("data")
            self.on_event(str(message["event"]), told if isinstance(told, dict) else {})
        return message

    def _fill(self, deadline: float) -> None:
        if len(self._buffer) > _MAX_ANSWER:
            raise GuestFailed("QEMU's monitor sent an answer without end")
        self._socket.settimeout(max(deadline - time.monotonic(), 0.001))
        try:
            chunk = self._socket.recv(65536)
        except TimeoutError as error:
            raise GuestFailed("QEMU's monitor did not answer in time") from error
        except OSError as error:
            raise MonitorClosed("QEMU's monitor is closed", details=str(error)) from error
        if not chunk:
            raise MonitorClosed("QEMU closed its monitor")
        self._buffer += chunk
