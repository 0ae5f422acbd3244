"""All that speaks against re-installing this machine in this way, what must be consented to, what must be known.

Fails closed: what could not be read, and is not known to be harmless, is a reason to stop. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from smartos_wizard.core.text import counted, duration, tame
from smartos_wizard.reinstall.after import After, after_setup
from smartos_wizard.reinstall.choices import (
    BOOT_ORDER,
    CONTENTS_UNKNOWN,
    LAYOUT_FAILS,
    MANUAL,
    NO_BACKUP,
    STOP_INSTANCES,
    Choices,
)
from smartos_wizard.reinstall.judging_pools import judge_pools
from smartos_wizard.reinstall.model import BootedFrom, Mode, Stop, Survey, Way
from smartos_wizard.reinstall.saying import host_name, listed, token_of
from smartos_wizard.reinstall.ways import Outcome, outcome_of, target_of

FRESH = 15 * 60
"""Seconds for which a survey holds."""
AHEAD = 120
"""Seconds by which the survey's clock may be before ours."""
HARMLESS = frozenset({
    "maker", "memory", "images", "key-release", "volumes", "cards", "links", "tags", "firewall", "services", "usbkey",
    "custom", "snapshots", "time",
})  # fmt: skip
"""Questions of the survey whose missing answer endangers no pool."""
_OF_CONTENTS = frozenset({"instances", "datasets", "encryption", "reset", "system-pool", "pool-marks"})
"""Questions that have no answer in Rescue Mode, where no pool is imported."""
LOADER_SINCE = "20190411"
"""The first release whose media have the loader instead of GRUB (smartos-docs: remotely-upgrading a USB key)."""
UNSEEN = "unseen"
"""The gap of a pool that is not imported: nobody could look into it, and whether it is encrypted is not known."""
_ORDER = ("stop", "consent", "note")


def judge(
    survey: Survey, choices: Choices, now: float, *, attended: bool = False
) -> tuple[Outcome, After, tuple[Stop, ...]]:
    """What the way does here, what comes after, and all that is to be said of both; stops first.

    `attended` says that somebody will compare everything at the console before it begins, so the survey may be
    old. A consent that was given stays in the list: `open_stops` tells what is left.
    """
    outcome = outcome_of(survey, choices.way, limited=choices.limited, by_hand=choices.by_hand)
    after = after_setup(survey, outcome, choices.answers)
    if not survey.smartos:
        what = tame(survey.host) or "This machine"
        return (
            outcome,
            after,
            (Stop("not-smartos", f"{what} does not run SmartOS.", hint="Check the address."),),
        )
    found = [
        *_where(survey), *_boot(survey, choices), *judge_pools(survey, choices, outcome),
        *_medium(survey, choices, outcome), *_gaps(survey, choices), *_contents(survey, choices), *_after(after),
        *_age(survey, now, attended),
    ]  # fmt: skip
    return outcome, after, tuple(sorted(_once(found), key=lambda stop: _ORDER.index(stop.level)))


def open_stops(stops: tuple[Stop, ...], choices: Choices) -> tuple[Stop, ...]:
    """Stops, and what was not consented to yet."""
    given = set(choices.consents)
    return tuple(s for s in stops if s.level == "stop" or (s.level == "consent" and s.token not in given))


def unknown_consents(survey: Survey, stops: tuple[Stop, ...], choices: Choices) -> tuple[str, ...]:
    """Consents that nothing asked for: mistyped, or said for another plan."""
    known = {stop.token for stop in stops} | {MANUAL, token_of(survey, survey.system_pool)}
    return tuple(token for token in choices.consents if token not in known)


def _once(found: list[Stop]) -> list[Stop]:
    return list({(stop.reference, stop.text): stop for stop in found}.values())


def _where(survey: Survey) -> Iterator[Stop]:
    name = host_name(survey)
    if survey.zone not in ("", "global"):
        yield Stop("not-global-zone", f"This is the zone {tame(survey.zone)}, not the global zone: it sees neither pools nor disks as they are.", hint="Survey the machine itself, by the address of its global zone.")  # fmt: skip
    if not survey.root:
        yield Stop("not-root", "The survey was not taken as root, so it may not have seen everything.", hint="Log in as root.")  # fmt: skip
    if survey.triton:
        yield Stop("triton-node", f"{name} is a node of Triton ({tame(survey.triton)}). Triton sets its nodes up itself and has to know of it.", hint="Use Triton's own factory reset (`sdc-server factory-reset`).")  # fmt: skip
    if survey.mode is Mode.OTHER:
        yield Stop("not-standalone", f"{name} was not started as a standalone SmartOS.", hint="Boot it from a SmartOS key, normally or in Rescue Mode, and survey it again.")  # fmt: skip
    if not survey.host_key:
        yield Stop("no-host-key", "Its ssh key is not known from this survey; the machine is known again by its hostid and the guids of its pools.", level="note")  # fmt: skip
    if not survey.hostid:
        yield Stop("no-identity", "Without its hostid the machine could not be known again before it is wiped.", hint="Survey it again.")  # fmt: skip


def _age(survey: Survey, now: float, attended: bool) -> Iterator[Stop]:
    old = now - survey.taken
    if old < -AHEAD:
        yield Stop("survey-clock", "The survey says it was taken in the future, so its age is not known.", hint="Set the clocks, and survey again.", level="note" if attended else "stop")  # fmt: skip
    elif not old <= FRESH:  # also where the time is no number
        again = "Survey the machine again." + (" Without a network take `reinstall runbook`: its first step compares." if survey.how == "file" else "")  # fmt: skip
        yield Stop("survey-old", f"The survey is {_old(old)} old; after 15 minutes something may have changed.", hint="The runbook compares the pools before it begins." if attended else again, level="note" if attended else "stop")  # fmt: skip


def _old(seconds: float) -> str:
    return duration(seconds) if math.isfinite(seconds) else "nobody knows how"


def _gaps(survey: Survey, choices: Choices) -> Iterator[Stop]:
    rescue = survey.mode is Mode.RESCUE
    target = target_of(survey)
    seen = target is not None and target.imported
    for gap in survey.gaps:
        harmless = gap.probe in HARMLESS or (rescue and gap.probe in _OF_CONTENTS)
        if gap.probe == UNSEEN:  # C needs to know nothing of it; what dies unseen is named and consented to
            harmless = seen or choices.way is Way.RESCUE
        text = (
            f"The question “{tame(gap.probe, 40)}” has no answer: {tame(gap.why, 160) or 'nobody knows why'}."
        )
        if harmless:
            yield Stop("gap", text, level="note")
        else:
            yield Stop("gap-that-matters", text, hint="Nothing is planned on a guess. Find out why, and survey again.")  # fmt: skip


def _boot(survey: Survey, choices: Choices) -> Iterator[Stop]:
    pool = tame(survey.system_pool)
    if survey.mode is Mode.RESCUE and choices.way is Way.RESET:
        yield Stop("rescue-mode", f"In Rescue Mode no pool is imported, so {pool}/var cannot be marked.", hint="Use way C, which begins in Rescue Mode, or boot normally and survey again.")  # fmt: skip
    prompt = choices.way is Way.LOADER or (choices.way is Way.RESET and choices.limited)
    if prompt and survey.booted_from is BootedFrom.NETWORK and not survey.medium and not choices.prepared:
        yield Stop("no-loader", "The machine boots from the network, where there is no loader's prompt to type at.", hint="Use way A or C, or attach a SmartOS key, boot from it and survey again.")  # fmt: skip
    if prompt and "" < survey.stamp < LOADER_SINCE:
        yield Stop("no-loader", f"Release {tame(survey.stamp)} starts by GRUB, which has no such prompt.", hint="Use way A or C, or boot from a newer SmartOS key and survey again.")  # fmt: skip
    if survey.reset_pending:
        yield Stop("reset-pending", "A factory reset is already waiting: the next normal boot destroys every pool that can be imported, whichever way is taken.", hint=f"If you do not want that, type `zfs inherit smartdc:factoryreset {pool}/var` on the machine. Then survey again.")  # fmt: skip
    if ("destroy_zpools", "true") in survey.boot_parameters:
        yield Stop("destroys-at-boot", "This boot was told destroy_zpools=true. If that stands on its boot medium, every boot destroys every pool.", hint="Look in boot/loader.conf.local or the network boot script, take it out, reboot and survey again.")  # fmt: skip


def _medium(survey: Survey, choices: Choices, outcome: Outcome) -> Iterator[Stop]:
    """Whether there will be something to boot from."""
    bootable = [pool for pool in outcome.destroyed if pool.bootable]
    from_network = survey.booted_from is BootedFrom.NETWORK
    if survey.medium or choices.prepared or from_network:
        if choices.prepared:
            yield Stop("medium-prepared", f"Boots afterwards from {choices.prepared.medium} ({choices.prepared.proof}).", level="note")  # fmt: skip
        if bootable and survey.booted_from not in (BootedFrom.USB, BootedFrom.ISO, BootedFrom.NETWORK):
            named = listed([tame(pool.name) for pool in bootable])
            yield Stop("boot-order", f"{named} starts the machine now and will be gone; old boot code may stay on its disks and hang.", level="consent", hint="In the firmware put the key, the CD or the network first, then say so.", token=BOOT_ORDER)  # fmt: skip
        return
    why = {
        BootedFrom.POOL: f"The machine boots from {listed([tame(p.name) for p in bootable]) or 'a pool'}",
        BootedFrom.UNKNOWN: "From what the machine boots is not known",
    }.get(survey.booted_from, "What the machine was started from is not attached any more")
    yield Stop("no-medium", f"{why}, and no SmartOS key or CD is attached: after the wipe nothing might boot.", hint="Attach a SmartOS key and survey again, or prove one here: `smartos-wizard key check KEY --release STAMP --json`, and give that with --prepared.")  # fmt: skip


def _contents(survey: Survey, choices: Choices) -> Iterator[Stop]:
    target = target_of(survey)
    if survey.mode is Mode.RESCUE or (target is not None and not target.imported):
        yield Stop("contents-unknown", f"What is on {tame(survey.system_pool)} could not be listed, because it is not imported.", level="consent", hint="Boot normally and survey again to see it, or say that you know.", token=CONTENTS_UNKNOWN)  # fmt: skip
    running = [instance for instance in survey.instances if instance.running]
    if running:
        names = listed([tame(instance.title) for instance in running], most=6)
        verb = "runs" if len(running) == 1 else "run"
        yield Stop("running-instances", f"{counted(len(running), 'instance')} {verb}: {names}. They would be stopped, and lost.", level="consent", hint="Say so, or move them away first.", token=STOP_INSTANCES)  # fmt: skip
    if "; WITHOUT " in choices.backup:
        yield Stop("backup-incomplete", f"The backup does not hold everything: {tame(choices.backup, 200)}. What it does not hold is gone for good.", level="consent", hint="Back up the others too, or say that those may go; no-backup means those alone.", token=NO_BACKUP)  # fmt: skip
    elif choices.backup:
        yield Stop("backup", f"Backup: {tame(choices.backup, 120)}.", level="note")
    else:
        yield Stop("no-backup", "There is no backup made by this program. What is on the pools is gone for good.", level="consent", hint="Make one with `smartos-wizard reinstall backup`, or say that none is wanted.", token=NO_BACKUP)  # fmt: skip


def _after(after: After) -> Iterator[Stop]:
    if after.fails:
        yield Stop("layout-fails", f"The pool that setup would make cannot work: {after.fails}", level="consent", hint="Change the disks first, or say that you will deal with it in setup.", token=LAYOUT_FAILS)  # fmt: skip
    for note in (*after.warnings, *after.traps):
        if note.level == "warning":
            yield Stop(f"setup-{note.reference}", note.text, level="note")
