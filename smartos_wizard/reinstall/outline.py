"""A survey as a tree of plain lines, for a terminal, a screen and a file. Imports nothing that connects or reads."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass

from smartos_wizard.core import text
from smartos_wizard.core.text import tame
from smartos_wizard.reinstall.model import Disk, Instance, KeptFile, Mode, Pool, Survey
from smartos_wizard.reinstall.remarks import newest_snapshot, started_from

_FILES_SHOWN = 12
_MODES = {Mode.NORMAL: "normally", Mode.RESCUE: "in Rescue Mode", Mode.OTHER: "not as a standalone SmartOS"}


@dataclass(frozen=True, slots=True)
class Node:
    """A line of the tree, and what hangs on it."""

    text: str
    below: tuple[Node, ...] = ()


def outline(survey: Survey, now: float) -> Node:
    """The tree of what was found. `now` in seconds since the epoch."""
    parts = (
        Node(_system(survey)),
        Node(_machine(survey)),
        Node(f"SmartOS medium attached: {survey.medium or 'none seen'}"),
        Node(_count("pool", survey.pools), tuple(_pool(pool) for pool in survey.pools)),
        Node(_datasets(survey, now)),
        Node(_counted(survey, "instances", "instance", survey.instances), tuple(_instance(each, survey) for each in survey.instances)),
        Node(_counted(survey, "images", "image", survey.images), tuple(Node(f"{each.name} {each.version} ({each.uuid[:8]})") for each in survey.images)),
        Node(_counted(survey, "disks", "disk", survey.disks), tuple(Node(_disk(disk)) for disk in survey.disks)),
        Node(_counted(survey, "cards", "network card", survey.nics), tuple(Node(f"{nic.link} {nic.mac} {', '.join(nic.tags) or 'no tag'} {nic.state}".rstrip()) for nic in survey.nics)),
        _files(survey, "usbkey", "/usbkey", survey.usbkey),
        _files(survey, "custom", "/opt/custom", survey.custom),
        Node(f"firewall rules: {'not known' if survey.firewall_rules is None else survey.firewall_rules}"),
        Node(_counted(survey, "services", "service", survey.troubled_services, " in trouble"), tuple(Node(each) for each in survey.troubled_services)),
    )  # fmt: skip
    gaps = (Node("not found out", tuple(Node(each) for each in _gaps(survey))),)
    return Node(_title(survey, now), parts + (gaps if survey.gaps else ()))


def _gaps(survey: Survey) -> list[str]:
    """One line for each reason."""
    probes: dict[str, list[str]] = {}
    for gap in survey.gaps:
        probes.setdefault(tame(gap.why, 300), []).append(gap.probe)
    return [f"{', '.join(dict.fromkeys(names))}: {why}" for why, names in probes.items()]


def lines(node: Node, width: int = 80, *, ascii_only: bool = False) -> list[str]:
    """The tree drawn, no line longer than `width`."""
    out = textwrap.wrap(node.text, width, break_on_hyphens=False) or [""]
    out += _drawn(node.below, "", width, ("+- ", "`- ", "|  ") if ascii_only else ("├─ ", "└─ ", "│  "))
    return [line.encode("ascii", "replace").decode() for line in out] if ascii_only else out


def _drawn(nodes: tuple[Node, ...], indent: str, width: int, marks: tuple[str, str, str]) -> Iterable[str]:
    for number, node in enumerate(nodes):
        last = number == len(nodes) - 1
        below = indent + ("   " if last else marks[2])
        hang = below + (marks[2] if node.below else "   ")
        yield from textwrap.wrap(
            node.text, max(20, width), initial_indent=indent + marks[1 if last else 0],
            subsequent_indent=hang, break_on_hyphens=False,
        ) or [indent + marks[1 if last else 0]]  # fmt: skip
        yield from _drawn(node.below, below, width, marks)


def _title(survey: Survey, now: float) -> str:
    name = survey.hostname or "a machine without a name"
    where = f" ({survey.host} port {survey.port})" if survey.how == "ssh" else " (from a file)"
    seconds = max(0.0, now - survey.taken)
    ago = f"{text.duration(seconds)} ago" if seconds < 86400 else f"{text.age(seconds)} old"
    return f"{name}{where}, surveyed {ago}" if survey.taken else f"{name}{where}, surveyed at an unknown time"


def _system(survey: Survey) -> str:
    system = f"SmartOS {survey.stamp or 'of an unknown release'}" if survey.smartos else "not SmartOS"
    if not survey.boot_parameters:
        return f"{system}; how it was started is not known"
    started = f"{system}, started from {started_from(survey.booted_from)}, {_MODES[survey.mode]}"
    return f"{started}; {survey.triton} of Triton" if survey.triton else started


def _machine(survey: Survey) -> str:
    name = " ".join(filter(None, [survey.manufacturer, survey.product])) or "machine of unknown make"
    serial = f", serial {survey.serial}" if survey.serial else ""
    memory = f", {text.size(survey.memory)} memory" if survey.memory is not None else ""
    return f"{name}{serial}{memory}, host id {survey.hostid or 'not known'}"


def _pool(pool: Pool) -> Node:
    facts = [
        pool.health or "state not known",
        f"{text.size(pool.allocated)} of {text.size(pool.size)} used" if pool.size is not None and pool.allocated is not None else "",
        "system pool" if pool.system else "",
        "" if pool.imported else ("not imported" if pool.importable else "cannot be imported"),
        "boots this machine" if pool.bootable else "",
        "encrypted" if pool.encrypted else "",
        "on USB" if pool.usb else "",
    ]  # fmt: skip
    groups: dict[str, list[str]] = {}
    for disk in pool.disks:
        ill = f" ({disk.health})" if disk.health not in ("ONLINE", "AVAIL", "") else ""
        groups.setdefault(disk.role or "by itself", []).append(disk.name + ill)
    below = [Node(f"{role}: {', '.join(names)}") for role, names in groups.items()]
    if not pool.imported:
        below.append(Node("what is in it, and whether it is encrypted or boots the machine, is not seen"))
    if pool.problem:
        below.append(Node(f"complaint: {tame(pool.problem, 400)}"))
    return Node(f"{pool.name}: {', '.join(filter(None, facts))}", tuple(below))


def _datasets(survey: Survey, now: float) -> str:
    if not survey.datasets and survey.missing("datasets"):
        return "datasets: not known"
    newest = newest_snapshot(survey)
    snapshots = sum(each.snapshots for each in survey.datasets)
    when = f", the newest {_ago(now - newest)}" if newest is not None else ""
    return f"{_count('dataset', survey.datasets)}, {snapshots} snapshot{'s' if snapshots != 1 else ''}{when}"


def _ago(seconds: float) -> str:
    said = text.age(max(0.0, seconds))
    return said if said == "today" else f"{said} ago"


def _instance(instance: Instance, survey: Survey) -> Node:
    used = sum(each.used for each in survey.datasets if _is_root(each.name, instance.datasets))
    memory = f", {instance.memory} MiB memory" if instance.memory is not None else ""
    size = f", {text.size(used)} on disk" if used else ""
    owner = f", owner {instance.owner}" if instance.owner.strip("0-") else ""
    return Node(f"{instance.state}: {instance.title}, {instance.brand}{memory}{size}{owner}")


def _is_root(name: str, datasets: tuple[str, ...]) -> bool:
    """Its dataset, unless another of its datasets holds that one: `used` counts what lies below."""
    return name in datasets and not any(name.startswith(other + "/") for other in datasets)


def _disk(disk: Disk) -> str:
    kind = " ".join(filter(None, [disk.kind, "SSD" if disk.ssd else ""]))
    return f"{disk.name}: {text.size(disk.size)} {kind}, {disk.vendor} {disk.model}".rstrip(", -")


def _files(survey: Survey, probe: str, place: str, files: tuple[KeptFile, ...]) -> Node:
    if not files and survey.missing(probe):
        return Node(f"{place}: not known")
    shown = [Node(f"{each.path}, {text.size(each.size)}") for each in files[:_FILES_SHOWN]]
    if len(files) > _FILES_SHOWN:
        shown.append(Node(f"and {len(files) - _FILES_SHOWN} more"))
    total = f", {text.size(sum(each.size for each in files))}" if files else ""
    return Node(f"{place}: {_count('file', files)}{total}", tuple(shown))


def _counted(survey: Survey, probe: str, word: str, found: tuple[object, ...], after: str = "") -> str:
    if not found and survey.missing(probe):
        return f"{word}s{after}: not known"
    return _count(word, found) + after


def _count(word: str, found: tuple[object, ...]) -> str:
    return f"{len(found) or 'no'} {word}{'' if len(found) == 1 else 's'}"
