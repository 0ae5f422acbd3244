"""A guest that sets itself up: the answers it needs, how many disks give which layout, what a sealed one cannot have.

Pure. Facts: smartos-live: src/smartdc/lib/smartos_prompt_config.sh (unattended setup takes the default layout whatever
zpool_layout says), src/node_modules/disklayout.js (the default layout follows from the number of disks).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import groupby

from smartos_wizard.boot import disk_specs
from smartos_wizard.boot.answers_check import stops
from smartos_wizard.boot.answers_schema import start
from smartos_wizard.boot.answers_script import boots_from_pool, on, value_of, wants_pkgsrc
from smartos_wizard.boot.disklayout import LAYOUTS, NoLayoutError, lay_out
from smartos_wizard.boot.model import BootChoices
from smartos_wizard.core import text
from smartos_wizard.core.errors import Refused
from smartos_wizard.guests import sizing
from smartos_wizard.guests.building import DEFAULT_DISK
from smartos_wizard.guests.model import DiskSpec, Finding, GuestSpec, Sandbox
from smartos_wizard.guests.store import slug

DOMAIN = "lab.internal"
"""The search domain where nobody says one: setup insists on one, and `.internal` belongs to nobody."""
ALONE = {"admin_ip": "10.0.2.15", "admin_netmask": "255.255.255.0", "headnode_default_gateway": "none"}
"""For a wire at whose other end nobody gives out addresses."""


@dataclass(frozen=True, slots=True)
class HandsOff:
    """A guest and its choices, ready to set itself up. `told` are sentences to know; `password` is root's, where one was made."""

    spec: GuestSpec
    choices: BootChoices
    told: tuple[str, ...] = ()
    password: str = ""


# ---------------------------------------------------------------------- disks for a layout


def layout_of(disks: tuple[DiskSpec, ...]) -> str:
    """The layout that SmartOS's setup chooses by itself for these disks; empty where it finds none."""
    listed = [disk_specs.DiskSpec(1, disk.size, solid=False) for disk in disks]
    try:
        return lay_out(disk_specs.from_specs(listed)).name
    except NoLayoutError:
        return ""


def counts_for(layout: str, size: int = DEFAULT_DISK) -> tuple[int, ...]:
    """How many equal disks of `size` bytes make setup choose that layout by itself; empty where no number does."""
    return tuple(n for n in range(1, sizing.MOST_DISKS + 1) if layout_of(_equal(n, size)) == layout)


def layout_asked(answers: Mapping[str, str] | None) -> str:
    """The layout that answers name; empty for the default. To setup it is only a label: the disks have to make it so."""
    layout = (answers or {}).get("zpool_layout", "")
    return layout if layout in LAYOUTS else ""


def with_layout(spec: GuestSpec, layout: str, said: int) -> GuestSpec:
    """The guest with disks of which setup makes `layout`.

    `said` is how many disks were asked for: with none the number and the size are chosen, with one it is its size
    that counts and the number is chosen, more are only judged. Raises Refused `layout-not-chosen`, `other-layout`.
    """
    if said > 1:
        _require(spec, layout)
        return spec
    size = spec.disks[0].size
    counts = counts_for(layout, size)
    if not counts:
        raise Refused(
            "layout-not-chosen",
            f"SmartOS's setup chooses the layout by the number of disks, and for no number chooses {layout}: {_table(size)}.",
            hint="Choose one of these, or set it up at its console, where `manual` makes any pool.",
        )
    if not said:
        size = _size_for(counts[0], spec.memory)
    return replace(spec, disks=_equal(counts[0], size))


def _require(spec: GuestSpec, layout: str) -> None:
    made = layout_of(spec.disks)
    if made == layout:
        return
    counts = counts_for(layout, spec.disks[0].size)
    raise Refused(
        "other-layout",
        f"Of these {len(spec.disks)} disks SmartOS's setup makes {made or 'no pool'}, not {layout}.",
        hint=f"Equal disks that give {layout}: {_numbers(counts)}." if counts else f"It chooses: {_table(spec.disks[0].size)}.",
    )  # fmt: skip


def _size_for(count: int, memory: int) -> int:
    """Bytes of each of `count` disks, whole GiB, so that the pool holds what a default disk would."""
    wanted, size = max(DEFAULT_DISK, sizing.least_pool(memory)), sizing.LEAST_DISK
    while sizing.usable(_equal(count, size)) < wanted:
        size += sizing.GIB
    return size


def _equal(count: int, size: int) -> tuple[DiskSpec, ...]:
    return tuple(DiskSpec(f"zones-{n}", size) for n in range(count))


def _table(size: int) -> str:
    """Which numbers of disks give what: `1 single, 2 mirror, 3 or 4 raidz1` and so on."""
    made = groupby(range(1, sizing.MOST_DISKS + 1), lambda n: layout_of(_equal(n, size)))
    return ", ".join(f"{_numbers(tuple(counts))} {name}" for name, counts in made)


def _numbers(counts: tuple[int, ...]) -> str:
    if len(counts) > 2 and counts[-1] - counts[0] == len(counts) - 1:
        return f"{counts[0]} to {counts[-1]}"
    return " or ".join(str(n) for n in counts)


# ---------------------------------------------------------------------- answers


def prepared(spec: GuestSpec, choices: BootChoices, password: str = "") -> HandsOff:
    """The choices with answers that need nobody: those given, or ones made here with `password` for root.

    Raises Refused `setup-would-stop`, naming where, `setup-does-not-run`, `no-such-card`.
    """
    if choices.rescue:
        raise Refused(
            "setup-does-not-run", "In rescue SmartOS runs no setup, so it cannot set itself up.",
            hint="Leave --rescue away.",
        )  # fmt: skip
    if choices.answers is None:
        answers = made_answers(spec, password)
        return HandsOff(spec, choices.with_(answers=answers), password=password)
    answers, told = _with_card(spec, choices.answers)
    require_answered(answers)
    told += [
        f"Setup may {stop.text} ({stop.key})." for stop in stops(answers) if stop.key == "skip_ntp_check"
    ]
    return HandsOff(spec, choices.with_(answers=answers), tuple(told))


def made_answers(spec: GuestSpec, password: str) -> dict[str, str]:
    """Answers for all that setup asks of this guest; it erases the guest's own disks without a question."""
    answers = start(unattended=True) | {
        "dns_search": DOMAIN,
        "root_password": password,
        "hostname": slug(spec.name),
    }
    if len(spec.nics) > 1:
        answers["admin_nic"] = spec.nics[0].mac.lower()
    return answers | ALONE if no_addresses(spec) else answers


def require_answered(answers: Mapping[str, str]) -> None:
    """Raise Refused `setup-would-stop` with every place where setup would wait for somebody."""
    certain = [stop for stop in stops(answers) if not stop.maybe]
    if certain:
        raise Refused(
            "setup-would-stop",
            f"It would not set itself up. With these answers setup will {'; '.join(f'{s.text} ({s.key})' for s in certain)}.",
            hint="`smartos-wizard answers new --unattended --from FILE` fills what can be filled; without --answers all are made.",
            lacking=[stop.key for stop in certain],
        )  # fmt: skip


def no_addresses(spec: GuestSpec) -> bool:
    """Whether nobody gives this guest an address: VirtualBox's sealed guests have a wire to nobody."""
    sealed = spec.sandbox is Sandbox.SEALED and spec.hypervisor == "virtualbox"
    return sealed and not any(nic.bridge for nic in spec.nics)


def _with_card(spec: GuestSpec, given: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The answers with the card that setup would ask for among several, and what was done."""
    answers, macs = dict(given), [nic.mac.lower() for nic in spec.nics]
    if len(macs) == 1:
        return answers, []
    said = answers.get("admin_nic", "")
    if said and said.lower() not in macs:
        raise Refused(
            "no-such-card",
            f"admin_nic is {text.tame(said)}, and this guest has no such network card, so setup would ask.",
            hint="Leave admin_nic out of the answers: its first card is taken then.",
        )
    if not said:
        answers["admin_nic"] = macs[0]
        return answers, [f"admin_nic is its first card, {macs[0]}."]
    return answers, []


# ---------------------------------------------------------------------- what a sealed guest cannot have


def sealed_findings(answers: Mapping[str, str] | None, spec: GuestSpec) -> tuple[Finding, ...]:
    """What these answers want of a network that a sealed guest has not; nothing for other sandboxes."""
    if answers is None or spec.sandbox is not Sandbox.SEALED:
        return ()
    found = []
    if wants_pkgsrc(answers):
        said = "install_pkgsrc needs the Internet, and a sealed guest has no way out: setup would wait for it and fail."
        found.append(Finding("sealed-pkgsrc", said, hint="Answer install_pkgsrc=no, or use --sandbox lab."))
    source = value_of("pisource", answers) or "media"
    if boots_from_pool(answers) and source != "media" and not source.startswith("/"):
        said = (
            f"pisource={text.tame(source)} is fetched from the Internet, and a sealed guest has no way out."
        )
        found.append(Finding("sealed-pisource", said, hint="Answer pisource=media, or use --sandbox lab."))
    found += _sealed_time(answers)
    if no_addresses(spec) and value_of("admin_ip", answers) == "dhcp":
        said = "A sealed guest in VirtualBox has a wire to nobody, so nobody gives it an address."
        hint = f"Answer admin_ip={ALONE['admin_ip']} with headnode_default_gateway=none."
        found.append(Finding("sealed-dhcp", said, "warning", hint))
    return tuple(found)


def _sealed_time(answers: Mapping[str, str]) -> list[Finding]:
    """Time and names: not reached from inside. It matters most where nobody is there to press Enter."""
    found = []
    if not on("skip_ntp_check", answers):
        alone = not any(not stop.maybe for stop in stops(answers))
        said = "A sealed guest reaches no time server: setup tries it and waits for Enter."
        level = "error" if alone else "warning"
        found.append(Finding("sealed-time", said, level, "Answer skip_ntp_check=true, or use --sandbox lab."))
    servers = [value for name in ("dns_resolver1", "ntp_host") if (value := value_of(name, answers))]
    if servers:
        said = f"A sealed guest reaches neither {text.tame(' nor '.join(servers))}: names are not resolved, and its clock is set by nobody."
        found.append(Finding("sealed-names", said, "info"))
    return found
