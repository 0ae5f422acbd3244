"""The machine: what it is, how it was booted, its disks, cards, files and services. Imports nothing that connects or reads."""

from __future__ import annotations

import re
from dataclasses import dataclass

from smartos_wizard.core.text import tame
from smartos_wizard.reinstall.answers import Answers
from smartos_wizard.reinstall.model import BootedFrom, Disk, Gap, KeptFile, Mode, Nic
from smartos_wizard.reinstall.parse_values import is_disk, is_stamp, number, odd_lines
from smartos_wizard.reinstall.probes import MOST_FILES

_MEMORY = re.compile(r"Memory size: (\d{1,12}) Megabytes", re.ASCII)
_LISTED = re.compile(r"-\S*\s+\d+\s+\S+\s+\S+\s+(\d{1,20})\s+\S+\s+\S+\s+\S+\s(/.+)", re.ASCII)
_MAC = re.compile(r"[0-9A-Fa-f]{1,2}(:[0-9A-Fa-f]{1,2}){5}", re.ASCII)
_LABEL = "SMARTOSBOOT"
_URL = re.compile(r"(https?|tftp|ftp|nfs)://", re.IGNORECASE)

Parameters = tuple[tuple[str, str], ...]


def read_parameters(answers: Answers) -> tuple[Parameters, tuple[Gap, ...]]:
    """The boot parameters as `bootparams` prints them, root's hash left out even where a file holds it."""
    answer = answers.whole("parameters")
    if answer is None:
        return (), (answers.gap("parameters"),)
    pairs = [line.partition("=") for line in answer.lines if "=" in line]
    kept = [(tame(name), tame(value, 255)) for name, _, value in pairs if name.strip() != "root_shadow"]
    return tuple(kept), ()


def mode_of(parameters: Parameters) -> Mode:
    """Normal, Rescue Mode, or no standalone SmartOS at all."""
    said = dict(parameters)
    if said.get("noimport") == "true":
        return Mode.RESCUE
    return Mode.NORMAL if said.get("smartos") == "true" else Mode.OTHER


def triton_of(parameters: Parameters, answers: Answers) -> str:
    """What node of Triton it is, in words; empty where it is none.

    A machine that was told neither `smartos=` nor `headnode=` is a compute node (smartos-live: piadm.sh); the older
    rescue entries tell `standalone=true` only.
    """
    said = dict(parameters)
    if said.get("headnode") == "true":
        return "head node"
    marks = answers.whole("triton")
    if marks is not None and marks.first:
        return "compute node"
    if parameters and "smartos" not in said and said.get("standalone") != "true":
        return "compute node"
    return ""


@dataclass(frozen=True, slots=True)
class Media:
    """What the machine was started from, and the SmartOS key or ISO that is attached now."""

    booted_from: BootedFrom = BootedFrom.UNKNOWN
    medium: str = ""
    gaps: tuple[Gap, ...] = ()


def read_media(answers: Answers, parameters: Parameters) -> Media:
    """Where it was booted from, and what else it could boot.

    iPXE gives the kernel's address as `boot-file`; `fstype=ufs` stands in the loader.conf that piadm writes on a pool
    (smartos-live: piadm.sh). Otherwise the loader came from a key or an ISO, and a key is known by its volume label.
    Nothing is mounted, so a release is known only where the key was mounted before.
    """
    said = dict(parameters)
    keys, discs, gaps = _volumes(answers)
    if _URL.match(said.get("boot-file", "")):
        booted = BootedFrom.NETWORK
    elif said.get("fstype") == "ufs" or "triton_bootpool" in said:
        booted = BootedFrom.POOL
    elif not parameters or bool(keys) == bool(discs):
        booted = BootedFrom.UNKNOWN
    else:
        booted = BootedFrom.USB if keys else BootedFrom.ISO
    release = answers.whole("key-release")
    if keys:
        stamp = release.first if release is not None else ""
        return Media(booted, stamp if is_stamp(stamp) and len(keys) == 1 else f"key {keys[0]}", gaps)
    if booted is BootedFrom.ISO:
        return Media(booted, f"ISO {discs[0]}", gaps)
    if discs:
        gaps = (*gaps, Gap("volumes", f"whether the disc in {discs[0]} is SmartOS was not looked into"))
    return Media(booted, "", gaps)


def _volumes(answers: Answers) -> tuple[list[str], list[str], tuple[Gap, ...]]:
    answer = answers.whole("volumes")
    if answer is None:
        return [], [], (answers.gap("volumes"),)
    keys: dict[str, None] = {}
    discs: dict[str, None] = {}
    for line in answer.lines:
        disk, _part, kind, label = [*line.split(), "", "", "", ""][:4]
        if is_disk(disk) and kind == "pcfs" and label == _LABEL:
            keys[disk] = None
        elif is_disk(disk) and kind == "hsfs":
            discs[disk] = None
    return list(keys), list(discs), ()


def read_disks(answers: Answers) -> tuple[tuple[Disk, ...], tuple[Gap, ...]]:
    """What `diskinfo -Hp` lists."""
    answer = answers.whole("disks")
    if answer is None:
        return (), (answers.gap("disks"),)
    disks: list[Disk] = []
    odd: list[str] = []
    for line in answer.lines:
        row = [cell.strip() for cell in line.split("\t")]
        size = number(row[4]) if len(row) == 7 else None
        if size is not None and is_disk(row[1]):
            disks.append(
                Disk(row[1], size, tame(row[0]), tame(row[2]), tame(row[3]), row[5] == "yes", row[6] == "yes")
            )
        elif line.strip():
            odd.append(line)
    return tuple(disks), (Gap("disks", odd_lines(odd)),) if odd else ()


def read_nics(answers: Answers, parameters: Parameters) -> tuple[tuple[Nic, ...], tuple[Gap, ...]]:
    """Network cards with their tags. Tags stand in /usbkey/config, or in the boot parameters of a machine without it."""
    answer = answers.whole("cards")
    if answer is None:
        return (), (answers.gap("cards"),)
    gaps: list[Gap] = []
    states: dict[str, str] = {}
    links = answers.whole("links")
    if links is None:
        gaps.append(answers.gap("links"))
    else:
        states = {
            link: tame(state) for link, _, state in (line.strip().partition(":") for line in links.lines)
        }
    tags = _tags(answers, parameters, gaps)
    nics: list[Nic] = []
    odd: list[str] = []
    for line in answer.lines:
        link, _, address = line.strip().replace("\\:", ":").partition(":")
        if link and _MAC.fullmatch(address):
            mac = _normal(address)
            own = tuple(tag for tag, value in tags.items() if value in (mac, link))
            nics.append(Nic(mac, tame(link), own, states.get(link, "")))
        elif line.strip():
            odd.append(line)
    if odd:
        gaps.append(Gap("cards", odd_lines(odd)))
    return tuple(nics), tuple(gaps)


def _tags(answers: Answers, parameters: Parameters, gaps: list[Gap]) -> dict[str, str]:
    said = answers.whole("tags")
    if said is None:
        gaps.append(answers.gap("tags"))
    lines = [line.partition("=") for line in said.lines] if said is not None else []
    pairs = [(name, value) for name, value in parameters if name.endswith("_nic")]
    tags: dict[str, str] = {}
    for name, value in (*pairs, *((name, value) for name, _, value in lines)):
        bare = value.strip().strip("\"'")
        if name.strip().endswith("_nic") and bare:
            tags[tame(name.strip().removesuffix("_nic"))] = _normal(bare) if _MAC.fullmatch(bare) else bare
    return tags


def _normal(mac: str) -> str:
    return ":".join(f"{int(part, 16):02x}" for part in mac.split(":"))


def read_files(answers: Answers, probe: str) -> tuple[tuple[KeptFile, ...], tuple[Gap, ...]]:
    """The files of /usbkey or /opt/custom, as `ls -ln` lists them."""
    answer = answers.whole(probe)
    if answer is None:
        return (), (answers.gap(probe),)
    files: list[KeptFile] = []
    odd: list[str] = [line for line in answer.complaints if line.strip()]
    for line in answer.lines[:MOST_FILES]:
        match = _LISTED.fullmatch(line)
        size = number(match[1]) if match else None
        if match and size is not None:
            files.append(KeptFile(tame(match[2], 1024), size))
        elif line.strip():
            odd.append(line)
    gaps = [Gap(probe, odd_lines(odd))] if odd else []
    if len(answer.lines) > MOST_FILES:
        gaps.append(Gap(probe, f"there are more than {MOST_FILES} files; only these were listed"))
    return tuple(files), tuple(gaps)


def read_memory(answers: Answers) -> tuple[int | None, tuple[Gap, ...]]:
    """Bytes of memory."""
    answer = answers.whole("memory")
    match = _MEMORY.search(answer.text) if answer else None
    if match:
        return int(match[1]) << 20, ()
    return None, (answers.gap("memory") if answer is None else Gap("memory", "prtconf names no memory size"),)


def read_maker(answers: Answers) -> tuple[tuple[str, str, str], tuple[Gap, ...]]:
    """Manufacturer, product and serial number."""
    answer = answers.whole("maker")
    if answer is None:
        return ("", "", ""), (answers.gap("maker"),)
    said = {
        name.strip(): tame(value.strip().strip('"')) for name, mark, value in (line.partition(":") for line in answer.lines) if mark
    }  # fmt: skip
    return (said.get("Manufacturer", ""), said.get("Product", ""), said.get("Serial Number", "")), ()


def read_firewall(answers: Answers) -> tuple[int | None, tuple[Gap, ...]]:
    """How many firewall rules there are."""
    answer = answers.whole("firewall")
    if answer is None:
        return None, (answers.gap("firewall"),)
    return sum(line.strip().endswith(".json") for line in answer.lines), ()


def read_services(answers: Answers) -> tuple[tuple[str, ...], tuple[Gap, ...]]:
    """The services that `svcs -x` names."""
    answer = answers.whole("services")
    if answer is None:
        return (), (answers.gap("services"),)
    return tuple(tame(line.split()[0], 120) for line in answer.lines if line.startswith("svc:/")), ()
