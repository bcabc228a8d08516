"""Decide what a machine reaches: by name before anything is asked of anyone, then by address before anything is connected to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from pyro_mcp.network.destinations import Address, parse_destination
from pyro_mcp.network.ranges import PLACEHOLDERS, meant, refused_range
from pyro_mcp.network.rules import Rule, parse_rule

Mode = Literal["off", "egress", "egress+published-ports"]
_MODES: Mapping[str, Mode] = {mode: mode for mode in get_args(Mode)}
IsOwn = Callable[[Address], bool]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was decided about a destination. `reason` says why not; `by_name`: a rule's name allowed it, and TLS must agree."""

    allowed: bool
    reason: str = ""
    by_name: bool = False


_ALLOWED = Judgement(allowed=True)


@dataclass(frozen=True, slots=True)
class Policy:
    """A machine's network policy. Without rules every public host is allowed, with some only what they name."""

    mode: Mode = "off"
    rules: tuple[Rule, ...] = ()

    @classmethod
    def of(cls, mode: Mode, allow_hosts: Sequence[str]) -> Policy:
        """Put it together from what a caller says; raise ValueError for a rule that cannot be read."""
        return cls(mode, tuple(map(parse_rule, allow_hosts)))

    def judge(self, destination: str | Address | None, port: int | None) -> Judgement:
        """Decide about a name or an address as the guest gave it; a port of None asks whether any port would do."""
        if self.mode == "off":
            return Judgement(allowed=False, reason="it has no network")
        if destination is None:
            return Judgement(allowed=False, reason="it is neither a name nor an address")
        if isinstance(destination, str):
            return self._judge_name(destination, port)
        return self._judge_literal(destination, port)

    def judge_server_name(self, name: str, port: int) -> Judgement:
        """Decide about the name that a TLS client gives on a connection that a rule's name allowed."""
        destination = parse_destination(name)
        if not isinstance(destination, str):
            return Judgement(allowed=False, reason=f"TLS asks for {name[:80]!r}, which is not a name")
        judged = self._judge_name(destination, port)
        if judged.allowed:
            return judged
        return Judgement(allowed=False, reason=f"TLS asks for {destination}, which no rule names")

    def address_fault(self, address: Address, port: int, is_own: IsOwn) -> str | None:
        """Say why the very address that would be connected to is refused; None when it is not."""
        if any(rule.names_address(address, port) for rule in self.rules):
            return None
        what = refused_range(address)
        if what is not None:
            return f"{address} is {what}, and no rule names it"
        return f"{address} is this host, and no rule names it" if is_own(address) else None

    def _judge_name(self, name: str, port: int | None) -> Judgement:
        if not self.rules:
            return _ALLOWED
        if any(rule.allows_name(name, port) for rule in self.rules):
            return Judgement(allowed=True, by_name=True)
        return Judgement(allowed=False, reason="no rule names it")

    def _judge_literal(self, address: Address, port: int | None) -> Judgement:
        if any(rule.names_address(address, port) for rule in self.rules):
            return _ALLOWED
        if meant(address) in PLACEHOLDERS:
            return Judgement(allowed=False, reason="it is a placeholder that stands for no name any more")
        if not self.rules or any(rule.allows_any_address(port) for rule in self.rules):
            return _ALLOWED
        return Judgement(allowed=False, reason="no rule names it")


def parse_mode(text: str) -> Mode:
    """Read a policy's word; anything unknown is `off`."""
    return _MODES.get(text, "off")
