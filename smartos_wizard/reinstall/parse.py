"""Answers to a survey. Never raises on strange output: what cannot be read is a gap, never an empty list that looks like
"there is none".

Imports nothing that connects or reads.
"""

from __future__ import annotations

import calendar
import time
from dataclasses import replace

from smartos_wizard.core.text import tame
from smartos_wizard.reinstall.answers import Answers, read_answers
from smartos_wizard.reinstall.model import SYSTEM_POOL, Gap, Mode, Pool, Survey
from smartos_wizard.reinstall.parse_data import read_datasets, read_encryption, read_images, read_instances
from smartos_wizard.reinstall.parse_host import (
    mode_of,
    read_disks,
    read_files,
    read_firewall,
    read_maker,
    read_media,
    read_memory,
    read_nics,
    read_parameters,
    read_services,
    triton_of,
)
from smartos_wizard.reinstall.parse_pools import read_pools
from smartos_wizard.reinstall.parse_values import is_pool, is_stamp, rows

_ON_THE_POOL = (
    "datasets",
    "snapshots",
    "encryption",
    "reset",
    "instances",
    "images",
    "tags",
    "firewall",
    "usbkey",
    "custom",
)
_UNSEEN = "the system pool is not imported, so this could not be seen"


def survey_of(
    text: str, *, taken: float | None, how: str, host: str = "", host_key: str = "", port: int = 22
) -> Survey:
    """The survey that these answers make.

    `taken` is None for a file: then the machine's own clock counts. `host` is empty for a file: then it is the
    machine's name.
    """
    answers = read_answers(text)
    gaps: list[Gap] = []
    if not answers.complete:
        gaps.append(
            Gap(
                "end",
                "the answers are cut off"
                if answers.framed
                else "these are no answers of the survey's script",
            )
        )
    survey = _identity(answers, gaps, taken, how)
    survey = replace(survey, host=host or survey.hostname, host_key=host_key, port=port)
    survey = _boot(survey, answers, gaps)
    survey = _storage(survey, answers, gaps)
    survey = _contents(survey, answers, gaps)
    return replace(survey, gaps=tuple(dict.fromkeys(gaps)))


def _first(answers: Answers, gaps: list[Gap], name: str) -> str:
    answer = answers.whole(name)
    if answer is None or not answer.first:
        gaps.append(answers.gap(name) if answer is None else Gap(name, "the answer is empty"))
        return ""
    return tame(answer.first, 255)


def _identity(answers: Answers, gaps: list[Gap], taken: float | None, how: str) -> Survey:
    clock = _first(answers, gaps, "time")
    if taken is None:
        taken = _seconds(clock)
        if taken is None:
            taken = 0.0
            if clock:
                gaps.append(Gap("time", f"the machine's clock could not be read: {clock}"))
    version = _first(answers, gaps, "version")
    stamp = version.removeprefix("joyent_")
    smartos = _first(answers, gaps, "system") == "SunOS" and version.startswith("joyent_")
    zone = _first(answers, gaps, "zone")
    return Survey(
        taken, how, "", _first(answers, gaps, "hostname"), _first(answers, gaps, "hostid"),
        smartos=smartos, zone="" if zone == "global" else zone, root=_first(answers, gaps, "user") == "0",
        stamp=stamp if smartos and is_stamp(stamp) else "",
    )  # fmt: skip


def _seconds(stamp: str) -> float | None:
    try:
        return float(calendar.timegm(time.strptime(stamp, "%Y%m%dT%H%M%SZ"))) if is_stamp(stamp) else None
    except (ValueError, OverflowError):
        return None


def _boot(survey: Survey, answers: Answers, gaps: list[Gap]) -> Survey:
    parameters, missing = read_parameters(answers)
    memory, no_memory = read_memory(answers)
    (manufacturer, product, serial), no_maker = read_maker(answers)
    media = read_media(answers, parameters)
    gaps += [*missing, *no_memory, *no_maker, *media.gaps]
    if answers.whole("triton") is None:
        gaps.append(answers.gap("triton"))
    return replace(
        survey,
        boot_parameters=parameters,
        mode=mode_of(parameters),
        triton=triton_of(parameters, answers) if survey.smartos else "",
        memory=memory,
        manufacturer=manufacturer,
        product=product,
        serial=serial,
        booted_from=media.booted_from,
        medium=media.medium,
    )


def _storage(survey: Survey, answers: Answers, gaps: list[Gap]) -> Survey:
    disks, no_disks = read_disks(answers)
    usb = frozenset(disk.name for disk in disks if disk.kind == "USB")
    pools, no_pools = read_pools(answers, usb)
    encryption, no_encryption = read_encryption(answers)
    datasets, no_datasets = read_datasets(answers, encryption)
    gaps += [*no_disks, *no_pools, *no_encryption, *no_datasets]
    if answers.whole("encryption") is not None:
        silent = [pool.name for pool in pools if pool.imported and pool.name not in encryption]
        gaps += [Gap("encryption", f"whether {name} is encrypted is not said") for name in silent]
    system = _system_pool(answers, pools, gaps)
    return replace(
        survey,
        disks=disks,
        pools=tuple(_seen(pool, system, encryption) for pool in pools),
        datasets=datasets,
        system_pool=system,
        reset_pending=_reset_pending(answers, gaps),
    )


def _seen(pool: Pool, system: str, encryption: dict[str, str]) -> Pool:
    encrypted = pool.imported and encryption.get(pool.name, "off") not in ("off", "-", "")
    return replace(pool, system=pool.name == system, encrypted=encrypted)


def _system_pool(answers: Answers, pools: tuple[Pool, ...], gaps: list[Gap]) -> str:
    """The pool SmartOS lives on: as its service says, then by the mark in the pool, then `zones`."""
    imported = [pool.name for pool in pools if pool.imported]
    service, marks = answers.whole("system-pool"), answers.whole("pool-marks")
    if service is None and marks is None:
        gaps.append(answers.gap("system-pool"))
    said = service.first if service is not None else ""
    if is_pool(said) and said in imported:
        return said
    marked = (
        [line.removesuffix("/.system_pool").lstrip("/") for line in marks.lines] if marks is not None else []
    )
    return next((name for name in marked if name in imported), SYSTEM_POOL)


def _reset_pending(answers: Answers, gaps: list[Gap]) -> bool:
    """Whether a `POOL/var` carries the property that makes the next boot destroy the pools (illumos-joyent: fs-joyent)."""
    answer = answers.whole("reset")
    if answer is None:
        gaps.append(answers.gap("reset"))
        return False
    good, _ = rows(answer.lines, 2)
    return any(
        name.count("/") == 1 and name.endswith("/var") and value.strip() == "yes" for name, value in good
    )


def _contents(survey: Survey, answers: Answers, gaps: list[Gap]) -> Survey:
    nics, no_nics = read_nics(answers, survey.boot_parameters)
    services, no_services = read_services(answers)
    gaps += [*no_nics, *no_services]
    survey = replace(survey, nics=nics, troubled_services=services)
    if survey.smartos and not survey.zone and not any(pool.imported and pool.system for pool in survey.pools):
        if not _known_empty(survey, gaps):
            gaps[:] = [gap for gap in gaps if gap.probe not in _ON_THE_POOL]
            gaps += [Gap(name, _UNSEEN) for name in _ON_THE_POOL]
        return survey
    instances, no_instances = read_instances(answers)
    images, no_images = read_images(answers)
    rules, no_rules = read_firewall(answers)
    usbkey, no_usbkey = read_files(answers, "usbkey")
    custom, no_custom = read_files(answers, "custom")
    gaps += [*no_instances, *no_images, *no_rules, *no_usbkey, *no_custom]
    return replace(
        survey, instances=instances, images=images, firewall_rules=rules, usbkey=usbkey, custom=custom
    )


def _known_empty(survey: Survey, gaps: list[Gap]) -> bool:
    """A fresh machine that was started normally: there is no pool, and that is known."""
    asked = not any(gap.probe in ("pools", "import", "parameters") for gap in gaps)
    return survey.mode is Mode.NORMAL and not survey.pools and asked
