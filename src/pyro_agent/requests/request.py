"""One request of the host: the base of every verb, and the walls around it.

Whatever goes wrong inside a verb is the FAULT of its own stream; the agent and the other streams go on.
"""

from __future__ import annotations

from collections.abc import Callable

from pyro_agent.base.log import say
from pyro_agent.base.unforeseen import unexpected
from pyro_agent.requests.machine import Machine
from pyro_wire.faults import Fault, FaultError
from pyro_wire.frames import Buffer
from pyro_wire.messages import Message, MessageError
from pyro_wire.mux import Mux


class Request:
    """A verb at work on one stream. Verbs override what they care about.

    `start` may answer at once, or keep descriptors and timers going until it does; `release` gives all of that
    back and is called exactly once, after an answer, a fault, or the loss of the host.
    """

    def __init__(self, machine: Machine, mux: Mux, stream: int) -> None:
        self.machine = machine
        self.stream = stream
        self._mux = mux
        self.open = True
        # Nothing is to be seen to until something happens: set by `on_turn` where there may be hundreds of its kind.
        self.resting = False

    # -- what a verb overrides ----------------------------------------------------------------------------------

    def start(self, message: Message) -> None:
        """Begin; raise FaultError or MessageError for a request that cannot be."""
        raise NotImplementedError

    def on_data(self, payload: bytes) -> None:
        """Take bytes of channel 0. A verb without input swallows them."""
        self.consumed(len(payload))

    def on_ended(self) -> None:
        """Learn that channel 0 has ended."""

    def on_control(self, message: Message) -> None:
        """Take a message beside the data."""

    def on_cancel(self) -> None:
        """Give up; an answer is still owed."""

    def on_turn(self) -> None:
        """See to flow control; called once per turn of the loop."""

    def release(self) -> None:
        """Give back everything that was acquired."""

    # -- what a verb uses ---------------------------------------------------------------------------------------

    @property
    def room(self) -> int:
        """Return how many bytes `send` takes now."""
        return self._mux.room(self.stream) if self.open else 0

    def send(self, channel: int, data: Buffer) -> int:
        """Send bytes to the host, as many as there is room for."""
        return self._mux.send(self.stream, channel, data) if self.open else len(data)

    def end(self, channel: int) -> None:
        """Tell the host that this channel has ended."""
        if self.open:
            self._mux.end(self.stream, channel)

    def consumed(self, count: int) -> None:
        """Let the host send that many bytes more."""
        if self.open:
            self._mux.consumed(self.stream, count)

    def answer(self, message: Message) -> None:
        """Give the result and end."""
        if self.open:
            self._mux.answer(self.stream, message)
            self.close()

    def fail(self, fault: Fault) -> None:
        """Say why there is no result, and end."""
        if self.open:
            self._mux.fail(self.stream, fault)
            self.close()

    def close(self) -> None:
        """Release everything, once."""
        if self.open:
            self.open = False
            self.release()

    def guarded(self, action: Callable[[], None]) -> None:
        """Run a part of the verb; an exception becomes this stream's fault."""
        if not self.open:
            return
        self.resting = False
        try:
            action()
        except FaultError as error:
            self.fail(error.fault)
        except MessageError as error:
            self.fail(Fault("invalid_request", str(error)))
        except Exception as error:  # noqa: BLE001  (the agent outlives any verb)
            say(f"stream {self.stream}: {error!r}")
            self.fail(unexpected(error))
