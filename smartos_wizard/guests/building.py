"""From what a user says to a whole spec: identity, fixed addresses of cards, sizes where nobody says any."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from smartos_wizard.core.errors import Refused
from smartos_wizard.guests import sizing
from smartos_wizard.guests.hypervisor import Hypervisor
from smartos_wizard.guests.model import BootMedium, Detection, DiskSpec, GuestSpec, NicSpec, Sandbox
from smartos_wizard.guests.ports import GuestWorld

_PREFIX = {"virtualbox": "08:00:27", "vmware": "00:50:56", "qemu": "52:54:00"}
"""The first half of addresses that belong to each hypervisor."""
DEFAULT_DISK = 40 << 30


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user said. 0, "" and () mean: choose well."""

    name: str
    boot: BootMedium
    hypervisor: str = ""
    memory: int = 0
    cpus: int = 0
    disks: Sequence[int] = ()
    sandbox: Sandbox = Sandbox.LAB
    bridge: str = ""
    inner: Sequence[str] = ()
    nested: bool = False
    ssh_port: int = 0
    console: str = "ttya"
    configured: Sequence[str] = field(default_factory=tuple)


def choose_hypervisor(world: GuestWorld, wanted: str = "") -> tuple[Hypervisor, Detection]:
    """The hypervisor to use: the wanted one, else the first that can start guests here.

    Raises Refused `no-hypervisor` with how to get one, UsageProblem for an unknown name.
    """
    from smartos_wizard.guests.ports import driver

    if wanted:
        chosen = driver(world, wanted)
        return chosen, chosen.detect()
    missing = []
    for each in world.hypervisors():
        detection = each.detect()
        if detection.starts:
            return each, detection
        missing.append(f"{each.title}: {detection.how or 'not usable here'}")
    raise Refused(
        "no-hypervisor", "No hypervisor that can start guests was found here.", hint=" ".join(missing)
    )


def build(wish: Wish, hypervisor: Hypervisor, world: GuestWorld) -> GuestSpec:
    """The whole spec, with a UUID and addresses of its own. Nothing is checked yet: see `planning.judge`."""
    host = world.host_size()
    memory = wish.memory or sizing.default_memory(host)
    sizes = tuple(wish.disks) or (max(DEFAULT_DISK, _round_up(sizing.least_pool(memory))),)
    nics = [NicSpec(new_mac(hypervisor.id), "uplink", wish.bridge)]
    nics += [NicSpec(new_mac(hypervisor.id), name) for name in wish.inner]
    return GuestSpec(
        name=wish.name, uuid=str(uuid.uuid4()), hypervisor=hypervisor.id, memory=memory,
        cpus=wish.cpus or sizing.default_cpus(host), boot=wish.boot,
        disks=tuple(DiskSpec(f"zones-{n}", size) for n, size in enumerate(sizes)), nics=tuple(nics),
        sandbox=wish.sandbox, nested=wish.nested, console=wish.console, ssh_port=wish.ssh_port,
        configured=tuple(wish.configured),
    )  # fmt: skip


def new_mac(hypervisor: str) -> str:
    """An address by chance, in the range that belongs to the hypervisor; VMware takes 00 to 3f in its fourth byte."""
    tail = bytearray(secrets.token_bytes(3))
    if hypervisor == "vmware":
        tail[0] &= 0x3F
    return ":".join([_PREFIX.get(hypervisor, "52:54:00"), *(f"{byte:02x}" for byte in tail)])


def _round_up(size: int) -> int:
    return -(-size // sizing.GIB) * sizing.GIB
