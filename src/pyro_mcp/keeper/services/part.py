"""The services of one machine, by name, with the ports of this host that lead to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from pyro_mcp.keeper.lines.loop import Loop
from pyro_mcp.keeper.lines.switchboard import Client, Open, Switchboard
from pyro_mcp.keeper.ports.listeners import Ports
from pyro_mcp.keeper.ports.port import Port
from pyro_mcp.keeper.services import supervising
from pyro_mcp.keeper.services.readiness import ask_from
from pyro_mcp.keeper.services.supervising import Service, ServicePlan
from pyro_mcp.redaction import Redactor
from pyro_wire import events, messages
from pyro_wire.faults import Fault
from pyro_wire.messages import Message, MessageError

# From KILL to giving up on a guest that does not say that a service has ended.
_KILLED_SECONDS = 2.0
_LONGEST_MS = 24 * 3600 * 1000


class _Waiter:
    """A client that waits for a service to be ready, or to end. Giving up on a start ends it; leaving does not."""

    def __init__(
        self, services: Services, service: Service, client: Client, stream: int, *, starts: bool
    ) -> None:
        self._services = services
        self.service = service
        self._client = client
        self._stream = stream
        self._starts = starts
        client.serving[stream] = self

    def from_client(self, event: events.Event) -> None:
        if isinstance(event, events.Cancelled | events.Control) and self._starts:
            self.service.stop("it was given up before it was ready", state="failed")

    def client_has_room(self) -> None:
        """Nothing waits for room but the answer."""

    def client_gone(self) -> None:
        self._services.forget(self)

    def settled(self) -> bool:
        """Answer, if this is what was waited for."""
        service = self.service
        if service.runs and not (self._starts and service.state == "running"):
            return False
        self._client.answer(self._stream, service.fault or {**service.told(), "tail": service.tail()})
        return True


class Services:
    """Starts, watches and ends services; knows those that ended, too, until the machine does."""

    def __init__(self, loop: Loop, board: Switchboard, redactor: Redactor, published: Iterable[Port]) -> None:
        self._loop = loop
        self._board = board
        self._redactor = redactor
        self._services: dict[str, Service] = {}
        self._ports = Ports(loop, board)
        self._ports.reopen(published)
        self._waiters: list[_Waiter] = []
        self._once_all_ended: list[Callable[[], None]] = []  # has some while the machine is wound down

    def verbs(self) -> Mapping[str, Open]:
        return {
            "keeper.service.start": self._start,
            "keeper.service.stop": self._stop,
            "keeper.services": self._listed,
        }

    @property
    def busy(self) -> bool:
        return any(service.runs for service in self._services.values())

    @property
    def running(self) -> list[str]:
        """The names of those that run."""
        return sorted(name for name, service in self._services.items() if service.runs)

    def wind_down(self, reason: str, then: Callable[[], None]) -> None:
        """Let every service end as if it were stopped, TERM before KILL; call `then` once none runs, or should by now."""
        for service in list(self._services.values()):
            service.stop(f"the machine ended: {reason}")
        self._once_all_ended.append(then)
        self._loop.after(supervising.STOP_SECONDS + _KILLED_SECONDS, self._go_on_winding_down)
        self._look_whether_all_ended()

    def _look_whether_all_ended(self) -> None:
        if not self.busy:
            self._go_on_winding_down()

    def _go_on_winding_down(self) -> None:
        while self._once_all_ended:
            self._once_all_ended.pop(0)()

    def ended(self, reason: str) -> None:
        for service in self._services.values():
            service.machine_ended(reason)
        self._ports.close()

    def _start(self, client: Client, stream: int, message: Message) -> None:
        """`keeper.service.start` {service, run_id, directory, request, readiness, ready_timeout_ms, ready_interval_ms, ports}."""
        service = self._made(message)
        if isinstance(service, Fault):
            client.answer(stream, service)
            return
        self._services[service.plan.service] = service
        self._waiters.append(_Waiter(self, service, client, stream, starts=True))
        client.tell(stream, lambda mux: mux.control(stream, {"accepted": True}))
        service.begin()

    def forget(self, waiter: _Waiter) -> None:
        """A client that has left waits for nothing."""
        self._waiters = [other for other in self._waiters if other is not waiter]

    def _made(self, message: Message) -> Service | Fault:
        try:
            plan = _plan(message)
        except MessageError as error:
            return Fault("invalid_request", str(error))
        fault = self._refusal(plan)
        if fault is not None:
            return fault
        try:
            return Service(self._loop, self._board, plan, self._redactor, self._settled)
        except OSError as error:
            self._ports.close_of(plan.service)
            return Fault("host_unfit", f"the service's log cannot be kept: {error}")

    def _refusal(self, plan: ServicePlan) -> Fault | None:
        """Why it cannot be started now; its ports are open when there is no reason."""
        if self._once_all_ended:
            return Fault("conflict", "the workspace is being stopped", None, "Ask again once it has.")
        there = self._services.get(plan.service)
        if there is not None and there.runs:
            return Fault(
                "conflict",
                f"the service {plan.service} is {there.state} already",
                None,
                "Stop it first, or use another name.",
            )
        self._ports.close_of(plan.service)
        return self._ports.open_all(plan.ports)

    def _stop(self, client: Client, stream: int, message: Message) -> None:
        """`keeper.service.stop` {service, reason}: end it, close its ports, and answer when it is gone."""
        name = str(message.get("service"))
        self._ports.close_of(name)
        service = self._services.get(name)
        if service is None:
            client.answer(stream, {})
            return
        waiter = _Waiter(self, service, client, stream, starts=False)
        if not waiter.settled():
            self._waiters.append(waiter)
            service.stop(str(message.get("reason")))

    def _listed(self, client: Client, stream: int, _: Message) -> None:
        """`keeper.services`: how each stands, and every port."""
        services = {name: service.told() for name, service in self._services.items()}
        client.answer(stream, {"services": services, "ports": self._ports.told()})

    def _settled(self, service: Service) -> None:
        if service.state == "failed":
            self._ports.close_of(service.plan.service)
        for waiter in list(self._waiters):
            if waiter.service is service and waiter.settled():
                self.forget(waiter)
        self._look_whether_all_ended()


def _plan(message: Message) -> ServicePlan:
    request, ports = message.get("request"), message.get("ports")
    if not isinstance(request, dict) or not isinstance(ports, list):
        raise MessageError("a request and a list of ports belong here")
    name = messages.text(message, "service")
    return ServicePlan(
        service=name,
        run_id=messages.text(message, "run_id"),
        directory=Path(messages.text(message, "directory")),
        request=request,
        ask=ask_from(message.get("readiness")),
        ready_seconds=messages.integer(message, "ready_timeout_ms", low=1, high=_LONGEST_MS) / 1000,
        interval=messages.integer(message, "ready_interval_ms", low=10, high=_LONGEST_MS) / 1000,
        ports=tuple(Port.from_message({**port, "service": name}) for port in ports if isinstance(port, dict)),
    )
