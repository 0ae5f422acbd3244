"""What a guest in a sandbox shall be, as it is typed, and what is wrong with it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from smartos_wizard.core.text import parse_size
from smartos_wizard.screens.options_list import Offer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from smartos_wizard.guests.building import Wish
    from smartos_wizard.guests.model import BootMedium, Finding, GuestSpec

MOST_DISKS = 16
NAME = "lab"
EACH = "40 GiB"
CONSOLE = "ttya"
"""What a guest's console is unless it is asked for another: the wizard shows that one."""
SIZE_FIELDS = ("name", "memory", "cpus", "count", "each", "nested")
NETWORK_FIELDS = ("sandbox", "bridge", "inner", "port")


@dataclass(frozen=True, slots=True)
class GuestAnswers:
    """Everything decided about a guest, as texts; an empty one means: choose well.

    `count` is the number of data disks, `each` the size of one, `inner` names of networks between guests only.
    `made` are the answers that were made for a guest that sets itself up. `boot` is `key` or `iso`; `file` is an image
    of the user's own, `vouch` what he said of it: a sha256, a checksum list, or `unverified`.
    """

    hypervisor: str = ""
    title: str = ""
    name: str = ""
    memory: str = ""
    cpus: str = ""
    count: str = "1"
    each: str = ""
    nested: bool = False
    sandbox: str = "lab"
    bridge: str = ""
    inner: str = ""
    port: str = ""
    made: Mapping[str, str] | None = field(default=None, repr=False)
    boot: str = "key"
    file: str = ""
    vouch: str = ""

    @property
    def artifact(self) -> str:
        """The kind of artifact of a release that it starts from."""
        return "iso" if self.boot == "iso" else "usb"

    def by_itself(self, answers: Mapping[str, str] | None) -> bool:
        """Whether the guest sets itself up with the answers made for it, none of them changed."""
        return self.made is not None and answers == self.made


_LAYOUTS = {
    "single": "No second disk: what it loses is lost. Enough to try.",
    "mirror": "A mirror: one disk of each pair may fail.",
    "raidz1": "raidz1: any one disk may fail.",
    "raidz2": "raidz2: any two disks may fail.",
}


@cache
def counts() -> tuple[Offer, ...]:
    """How many data disks there may be, and what SmartOS's setup makes of so many."""
    from smartos_wizard.guests.hands_off import layout_of
    from smartos_wizard.guests.model import DiskSpec

    found = []
    for n in range(1, MOST_DISKS + 1):
        layout = layout_of(tuple(DiskSpec(f"zones-{k}", 40 << 30) for k in range(n)))
        found.append(Offer(str(n), "1 disk" if n == 1 else f"{n} disks", _LAYOUTS.get(layout, layout)))
    return tuple(found)


NESTED = (
    Offer("", "no", "SmartOS runs zones; it cannot run virtual machines of its own."),
    Offer(
        "yes", "yes", "SmartOS in the guest may run bhyve machines, where processor and hypervisor let it."
    ),
)
SANDBOXES = (
    Offer("sealed", "sealed", "No way out: it reaches nobody."),
    Offer("lab", "lab", "Out through this machine (NAT); nobody gets in."),
    Offer("lan", "lan", "On your own network: everybody there sees it."),
)


def memory_of(words: str) -> int:
    """MiB; 0 for an empty text. Raises ValueError with a sentence."""
    if not words.strip():
        return 0
    try:
        size = parse_size(words)
    except ValueError:
        raise ValueError("no size: for example 4GiB") from None
    if size < 1 << 20:
        raise ValueError("of what? Say 4GiB")
    return size >> 20


def _number(words: str, what: str, most: int) -> int:
    if not words.strip():
        return 0
    if not words.strip().isascii() or not words.strip().isdigit() or not 0 < int(words) <= most:
        raise ValueError(f"{what}, from 1 to {most:,}")
    return int(words)


def _disk(words: str) -> int:
    if not words.strip():
        return 0
    try:
        return parse_size(words) // 512 * 512
    except ValueError:
        raise ValueError("no size: for example 40GB") from None


def inner_of(words: str) -> tuple[str, ...]:
    """The names of inner networks in a line. Raises ValueError with a sentence."""
    names = tuple(words.replace(",", " ").split())
    for name in names:
        if not name.replace("-", "").isalnum() or not name.isascii():
            raise ValueError("letters, digits, dashes")
    if len(names) > 6:
        raise ValueError("six at most")
    return names


def wrong(answers: GuestAnswers) -> dict[str, str]:
    """What makes no sense by itself, in words, by the name of the field."""
    found: dict[str, str] = {}
    if not answers.name.strip():
        found["name"] = "it needs a name"
    for name, call in (
        ("memory", lambda: memory_of(answers.memory)),
        ("cpus", lambda: _number(answers.cpus, "a number", 256)),
        ("each", lambda: _disk(answers.each)),
        ("inner", lambda: inner_of(answers.inner)),
        ("port", lambda: _number(answers.port, "a number", 65535)),
    ):
        try:
            _ = call()
        except ValueError as error:
            found[name] = str(error)
    return found


def wish_of(answers: GuestAnswers, medium: BootMedium, console: str) -> Wish:
    """What is wanted, as `guest create` builds it. Call it only where nothing is `wrong`."""
    from smartos_wizard.guests.building import Wish
    from smartos_wizard.guests.model import Sandbox

    count, each = int(answers.count), _disk(answers.each)
    if not each and count > 1:
        each = _disk(EACH)
    return Wish(
        answers.name.strip(), medium, answers.hypervisor, memory_of(answers.memory),
        _number(answers.cpus, "", 256), (each,) * count if each else (), Sandbox(answers.sandbox),
        answers.bridge.strip() if answers.sandbox == "lan" else "", inner_of(answers.inner), answers.nested,
        _number(answers.port, "", 65535), console, () if answers.boot == "iso" else ("settings",),
    )  # fmt: skip


def typed_again(spec: GuestSpec) -> GuestAnswers:
    """A guest as one would type it. Raises Refused where its disks are not all alike: the form has one size."""
    from smartos_wizard.core.errors import Refused

    sizes = {disk.size for disk in spec.disks}
    if len(sizes) != 1:
        raise Refused(
            "disks-differ", f"The disks of {spec.name} are not all of one size, which only the command can ask for.",
            hint="Give the same `guest create` once more.",
        )  # fmt: skip
    uplink, *inner = spec.nics
    return GuestAnswers(
        spec.hypervisor, "", spec.name, _exact(spec.memory << 20), str(spec.cpus), str(len(spec.disks)),
        _exact(sizes.pop()), spec.nested, spec.sandbox.value, uplink.bridge,
        " ".join(nic.network for nic in inner), str(spec.ssh_port or ""),
    )  # fmt: skip


def _exact(size: int) -> str:
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (10**9, "GB")):
        if size % unit == 0:
            return f"{size // unit}{name}"
    return str(size)


_FIELD = {
    "bad-name": "name", "name-taken": "name", "folder-left": "name", "too-little-memory": "memory",
    "little-memory": "memory", "too-much-memory": "memory", "odd-memory": "memory", "bad-cpus": "cpus",
    "bad-disks": "count", "disk-too-small": "each", "odd-disk": "each", "pool-too-small": "each",
    "port-taken": "port", "no-bridge": "bridge", "no-nesting": "nested", "too-many-cards": "inner",
    "no-forward": "port", "bridge-of-vmware": "bridge", "disk-too-large": "each",
}  # fmt: skip
_SHORT = {
    "bad-name": "no name for a guest",
    "name-taken": "there is one of that name",
    "folder-left": "a folder of that name is there",
    "too-little-memory": "SmartOS does not start so",
    "little-memory": "little: take 2 GiB or more",
    "too-much-memory": "too much for this machine",
    "odd-memory": "a multiple of 4 MiB",
    "bad-cpus": "more than there are here",
    "bad-disks": "1 to 16",
    "disk-too-small": "20 GiB or more",
    "pool-too-small": "the pool is too small",
    "port-taken": "in use on this machine",
    "no-bridge": "name a card",
    "no-nesting": "not possible here",
    "too-many-cards": "too many cards",
    "no-forward": "not with this hypervisor",
    "bridge-of-vmware": "VMware decides that",
    "disk-too-large": "too large",
}
"""A finding in as few words as fit beside its field; the whole of it stands below."""


@dataclass(frozen=True, slots=True)
class Said:
    """One finding: the field it is about (empty: none of them), how grave it is, in short and in full."""

    field: str
    level: str
    short: str
    words: str


def said_of(findings: Iterable[Finding]) -> tuple[Said, ...]:
    """Findings of the room as the screens say them, the gravest first."""
    found = [
        Said(_FIELD.get(f.reference, ""), f.level, _SHORT.get(f.reference, ""), f"{f.text} {for_a_screen(f.hint)}".strip())
        for f in findings
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda s: ("error", "warning", "info").index(s.level)))


def for_a_screen(hint: str) -> str:
    """A hint without the options of the command."""
    for old, new in (
        (", or leave --ssh-port away", ", or leave it empty"), ("--bridge eth0.", "Name it above."),
        (" with `smartos-wizard guest delete`", ""),
    ):  # fmt: skip
        hint = hint.replace(old, new)
    return hint
