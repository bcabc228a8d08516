"""What a keeper is told when it is started: one JSON object, read back into frozen values."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pyro_mcp.keeper.ports.port import Port
from pyro_mcp.qemu.confine import Walls
from pyro_mcp.qemu.installed import QemuInstall
from pyro_mcp.qemu.launch import DriveFiles, Launch, LayerFile
from pyro_mcp.qemu.templates import Template


@dataclass(frozen=True, slots=True)
class Identity:
    """What tells a clone from its twins; clock and entropy are added at the moment of the restore."""

    hostname: str
    machine_id: str


@dataclass(frozen=True, slots=True)
class Leash:
    """What ends the machine by itself."""

    # The machine ends with the process that started it: nobody else knows of a throwaway.
    with_client: bool
    # A workspace's machine stops after so many seconds without activity, and says in `ended` why it did.
    idle_stop_seconds: int | None = None
    ended: str | None = None


@dataclass(frozen=True, slots=True)
class Network:
    """What the machine may reach (network/policy.py), and the file that decisions are written to."""

    policy: str = "off"
    allow_hosts: tuple[str, ...] = ()
    # Certificates (PEM) that this host trusts beside its distribution's, for programs in the guest.
    certificates: str = ""
    record: str | None = None


@dataclass(frozen=True, slots=True)
class KeeperPlan:
    """One machine to restore and hold."""

    machine_id: str
    directory: Path
    socket: Path
    launch: Launch
    template: Template
    identity: Identity
    seeded: bool
    leash: Leash
    # By name. They go to the keeper as all of this does, through its standard input; no command line and no log has them.
    secrets: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    network: Network = Network()
    # Ports of this host that led into the workspace's last machine, to be opened again.
    ports: tuple[Port, ...] = ()

    def to_json(self) -> str:
        return json.dumps(asdict(self), default=_plain)

    @classmethod
    def from_json(cls, text: str) -> KeeperPlan:
        plan = json.loads(text)
        return cls(
            machine_id=plan["machine_id"],
            directory=Path(plan["directory"]),
            socket=Path(plan["socket"]),
            launch=_launch(plan["launch"]),
            template=_template(plan["template"]),
            identity=Identity(**plan["identity"]),
            seeded=plan["seeded"],
            leash=Leash(**plan["leash"]),
            ports=tuple(Port(**port) for port in plan["ports"]),
            secrets={name: base64.b64decode(value) for name, value in plan["secrets"].items()},
            network=_network(plan["network"]),
        )


def _plain(value: object) -> str:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


# The only layer without types: JSON that our own other half has just written.
_Json = dict[str, Any]


def _network(value: _Json) -> Network:
    return Network(**{**value, "allow_hosts": tuple(value["allow_hosts"])})


def _launch(value: _Json) -> Launch:
    fields = dict(value)
    install = dict(value["install"])
    fields["install"] = QemuInstall(
        **{**install, "libraries": tuple(install["libraries"]), "data": tuple(install["data"])}
    )
    fields["kernel_arguments"] = tuple(value["kernel_arguments"])
    fields["drives"] = tuple(_drive(drive) for drive in value["drives"])
    fields["walls"] = Walls(**value["walls"])
    for name in ("kernel", "initrd", "log"):
        fields[name] = Path(value[name])
    return Launch(**fields)


def _drive(value: _Json) -> DriveFiles:
    layers = tuple(LayerFile(Path(layer["path"]), layer["format"]) for layer in value["layers"])
    return DriveFiles(value["name"], layers, value["writable"])


def _template(value: _Json) -> Template:
    disk = LayerFile(Path(value["disk"]["path"]), value["disk"]["format"])
    return Template(value["freeze"], Path(value["memory"]), Path(value["state"]), disk, Path(value["notes"]))
