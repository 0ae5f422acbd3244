"""What is decided about booting over the network, and the machines that a serving job tells of. Pure; no Textual here."""

from __future__ import annotations

from dataclasses import dataclass

from smartos_wizard.core.plan import Plan
from smartos_wizard.core.progress import Progress
from smartos_wizard.netboot import machines
from smartos_wizard.netboot.serve_plan import PORT

PROXY, OWN, HTTP = "proxy", "own", "http"
"""Who gives addresses: the network's own server, this program, or others who do TFTP as well."""
MACHINE = "machine"
_LOADING = (machines.KERNEL_, machines.ARCHIVE_)


@dataclass(frozen=True, slots=True)
class BuildAnswers:
    """A tree that is to be built or renewed. What is empty stays as the tree has it; `keep` empty keeps every release.

    `again` unpacks releases that are there already.
    """

    directory: str = ""
    stamps: tuple[str, ...] = ()
    keep: str = ""
    console: str = ""
    profile: str = ""
    machines: str = ""
    again: bool = False

    @property
    def kept(self) -> int | None:
        """How many releases stay; None for all of them. Raises ValueError where it is no number."""
        return int(self.keep) if self.keep.strip() else None

    @property
    def keep_wrong(self) -> bool:
        """Whether what is to be kept is no number."""
        keep = self.keep.strip()
        return bool(keep) and not (keep.isascii() and keep.isdigit() and 0 < int(keep[:6]) < 1000)

    @property
    def told(self) -> tuple[str, ...]:
        """What single machines are told: `MAC=PROFILE` and `MAC=FILE.json`."""
        return tuple(self.machines.split())


@dataclass(frozen=True, slots=True)
class ServeAnswers:
    """A tree that is to be served, or (`into` is a directory) written configuration for."""

    directory: str = ""
    interface: str = ""
    gives: str = PROXY
    addresses: str = ""
    port: str = str(PORT)
    config: bool = False
    into: str = ""


def answers_of(plan: Plan) -> ServeAnswers:
    """What was chosen for a plan to serve, or to write configuration."""
    p, config = plan.params, plan.kind == "netboot-config"
    boots = config or any(step.id == "boot" for step in plan.steps)
    gives = OWN if p.get("first") else PROXY if boots else HTTP
    addresses = f"{p['first']}-{p['last']}" if p.get("first") else ""
    return ServeAnswers(
        str(p["root"]), str(p["interface"]), gives, addresses, str(p["port"]), config, str(p.get("into", ""))
    )


@dataclass(frozen=True, slots=True)
class TreeFacts:
    """A directory as it is: `new`, `empty`, `other` (files of others only) or `tree`; sizes in bytes, `free` None unknown."""

    directory: str
    state: str
    stamps: tuple[str, ...] = ()
    size: int = 0
    machines: tuple[str, ...] = ()
    free: int | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class MachineRow:
    """A machine as it stands. Sizes in bytes, `rate` in bytes per second, `at` when it was last heard of."""

    name: str
    address: str
    firmware: str
    state: str
    file: str
    done: int
    total: int
    rate: float
    release: str
    starts: int
    at: float

    @property
    def loading(self) -> bool:
        """Whether it is in the middle of something that would break off."""
        return self.state in _LOADING

    @property
    def bad(self) -> bool:
        """Whether it cannot go on by itself."""
        return self.state in (machines.BROKE_OFF, machines.MISSING, machines.NOT_BY_UEFI)


def rows_of(progress: Progress) -> tuple[MachineRow, ...]:
    """The machines of a serving job, in the order in which they came."""
    serving = progress.step("serve")
    meters = serving.meters if serving is not None else {}
    rows = []
    for (reference, name), note in progress.newest.items():
        if reference != MACHINE:
            continue
        said, meter = note.data, meters.get(name)
        state, file = str(said.get("state", "")), str(said.get("file", "")).rsplit("/", 1)[-1]
        done, total, rate, at = int(said.get("done") or 0), int(said.get("total") or 0), 0.0, note.at
        if meter is not None and meter.at >= note.at and meter.total:
            done, total, rate, at = meter.done, meter.total, meter.rate, meter.at
            file = meter.bottleneck or file
        rows.append(
            MachineRow(
                name, str(said.get("address", "")), str(said.get("firmware", "")), state, file, done, total,
                rate if state in _LOADING else 0.0, str(said.get("release", "")), int(said.get("starts") or 0), at,
            )
        )  # fmt: skip
    return tuple(rows)
