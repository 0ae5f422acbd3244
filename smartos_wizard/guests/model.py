"""The nouns of the room: what a guest should be, what it is, and how the two differ.

Sizes of disks are bytes, memory is in MiB. Imports nothing that starts or reads anything.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from smartos_wizard.core.errors import Refused

SCHEMA = 1
"""Version of the guest spec as it is written."""


class Sandbox(StrEnum):
    """What a guest may reach. `lab` is the default; `lan` is asked for by name only."""

    SEALED = "sealed"
    LAB = "lab"
    LAN = "lan"


class BootKind(StrEnum):
    """From what the guest starts: the ISO, or a copy of the USB image that is its own."""

    ISO = "iso"
    KEY = "key"


class State(StrEnum):
    """What the hypervisor says of a guest; `missing` where it does not know it, `half-made` where creating broke off."""

    RUNNING = "running"
    STOPPED = "stopped"
    PAUSED = "paused"
    STARTING = "starting"
    STOPPING = "stopping"
    SAVED = "saved"
    CRASHED = "crashed"
    MISSING = "missing"
    HALF_MADE = "half-made"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class BootMedium:
    """Where the guest starts from. `source` is the ISO or USB image (.img, .img.gz) as downloaded."""

    kind: BootKind
    source: str
    stamp: str = ""
    algorithm: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class DiskSpec:
    """A data disk. `name` is the name of its file without ending and, where possible, its serial number."""

    name: str
    size: int
    keep: bool = False


@dataclass(frozen=True, slots=True)
class NicSpec:
    """A network card with a fixed address: SmartOS keeps the address it was set up with.

    `network` is `uplink` (what the sandbox allows), or the name of a network between guests only.
    """

    mac: str
    network: str = "uplink"
    bridge: str = ""


@dataclass(frozen=True, slots=True)
class GuestSpec:
    """All that makes a guest. `ssh_port` is on 127.0.0.1, 0 lets the hypervisor choose or the wizard find one.

    `configured` says that console, answers or files were put on the guest's own key.
    """

    name: str
    uuid: str
    hypervisor: str
    memory: int
    cpus: int
    boot: BootMedium
    disks: tuple[DiskSpec, ...]
    nics: tuple[NicSpec, ...]
    sandbox: Sandbox = Sandbox.LAB
    nested: bool = False
    console: str = "ttya"
    ssh_port: int = 0
    configured: tuple[str, ...] = ()
    schema: int = SCHEMA


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that speaks against a spec (`error`), or that the user should know (`warning`, `info`)."""

    reference: str
    text: str
    level: str = "error"
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Detection:
    """What is known of a hypervisor on this machine.

    `usable` is False where guests can neither be made nor started; `problems` are findings with the remedy,
    `how` says how to get it where it is missing. `can` names what it can do (see `ABILITIES`).
    """

    id: str
    title: str
    found: bool
    version: str = ""
    path: str = ""
    usable: bool = False
    starts: bool = False
    problems: tuple[Finding, ...] = ()
    how: str = ""
    can: frozenset[str] = frozenset()


ABILITIES = (
    "serial-log", "serial-socket", "loopback-forward", "inner-network", "snapshots", "nested", "immutable-boot",
    "sealed", "ova-export",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Actual:
    """A guest as the hypervisor says it is. `switches` are named as in `sandbox.SWITCHES`, None: it does not say.

    `disks` are paths in the order attached, `macs` in the order of the cards.
    """

    state: State
    memory: int | None = None
    cpus: int | None = None
    disks: tuple[str, ...] = ()
    macs: tuple[str, ...] = ()
    switches: dict[str, str | None] = field(default_factory=dict)
    ssh_port: int | None = None
    snapshots: tuple[str, ...] = ()
    boot: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Drift:
    """One thing that is not as asked, in words fit for a table."""

    what: str
    asked: str
    actual: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where ssh answers."""

    host: str
    port: int
    user: str = "root"


@dataclass(frozen=True, slots=True)
class ConsoleEndpoint:
    """Where the serial console is: a socket to talk to, and the log of all it said. Either may be None."""

    socket: Path | None
    log: Path | None


@dataclass(frozen=True, slots=True)
class Guest:
    """A guest of this user: its spec, the folder that holds everything of it, and where its sockets are.

    `made` is False where creating it broke off.
    """

    spec: GuestSpec
    folder: Path
    sockets: Path
    made: bool = True

    @property
    def name(self) -> str:
        """Its name."""
        return self.spec.name

    @property
    def key(self) -> Path:
        """Its own copy of the USB image, where it starts from one."""
        return self.folder / "key.img"

    @property
    def console(self) -> ConsoleEndpoint:
        """Its serial console. The socket lies in a short path, because sockets may not have long ones."""
        return ConsoleEndpoint(self.sockets / "console", self.folder / "console.log")

    def disk(self, disk: DiskSpec, ending: str) -> Path:
        """The file of a data disk."""
        return self.folder / f"{disk.name}.{ending}"

    def owns(self, path: Path) -> bool:
        """Whether a file lies in its folder."""
        return path.resolve().is_relative_to(self.folder.resolve())


def refuse(findings: tuple[Finding, ...]) -> None:
    """Raise Refused with the first error among the findings, the others in its details; nothing where there is none."""
    errors = [finding for finding in findings if finding.level == "error"]
    if errors:
        first = errors[0]
        raise Refused(
            first.reference, " ".join(finding.text for finding in errors), hint=first.hint,
            findings=[finding.reference for finding in errors],
        )  # fmt: skip
