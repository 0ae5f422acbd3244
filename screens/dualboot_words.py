"""SmartOS beside a Linux in words: how the Linux starts, each way, what to do about a problem, the same by command. Pure."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from smartos_wizard.core.text import size
from smartos_wizard.netboot.dualboot_model import Way
from smartos_wizard.screens.options_words import boot_flags

if TYPE_CHECKING:
    from smartos_wizard.netboot.dualboot_model import Problem, Setup, Volume
    from smartos_wizard.screens.dualboot_model import Beside, Opinion, Seen

DANGER = (
    "SmartOS' setup takes EVERY fixed disk by default, the one with this Linux too, and erases them. The entry in the menu does "
    "not do that; the setup that runs at the first start does, if you let it. When it shows the pool layout, answer “manual”."
)
TIGHT = 400_000_000
"""Bytes that the files of a platform take, about."""
TIGHT_WORDS = "the platform takes about 400 MB"
NAMES = {
    Way.UNPACKED: "The platform's files",
    Way.ISO: "The ISO as it is",
    Way.CHAINLOAD: "The loader of a SmartOS key",
}
_COSTS = {Way.UNPACKED: "about 400 MB", Way.ISO: "about twice that", Way.CHAINLOAD: "copies nothing"}
WHAT = {
    Way.UNPACKED: (
        "The kernel, the boot archive and its hash are unpacked out of the platform tarball and lie beside this Linux's own kernels. "
        "GRUB loads them by themselves: one file less between GRUB and the kernel, and the smaller way."
    ),
    Way.ISO: (
        "The ISO lies beside this Linux as it was published; GRUB looks into it (loopback) and loads the kernel from there. "
        "Take it if you have the ISO already."
    ),
    Way.CHAINLOAD: (
        "Nothing is copied. GRUB starts SmartOS' own loader from a key or another disk, and that loader finds SmartOS on its own "
        "disk only. What SmartOS is told is written on that key, not here."
    ),
}
_HERE = {
    "uefi-needs-chainloading": "Let GRUB start the loader of a SmartOS key instead (the third way), or write a key.",
    "no-grub": "Without GRUB, use a USB key: Home, Make a USB key.",
    "not-linux": "From Home: make a USB key for another machine, or try SmartOS in a sandbox.",
    "already-installed": "Take it away first; your SmartOS pool is not touched by that.",
    "bios-needs-no-chainloading": "Take one of the ways above.",
    "loader-of-linux": "Name the partition of a SmartOS key instead.",
    "no-uuid": "Start the wizard as root.",
}
"""What to do, in the wizard, where the hint speaks of commands."""


def hint_of(problem: Problem) -> str:
    """What to do about it here."""
    return _HERE.get(problem.reference, problem.hint)


def cost_of(opinion: Opinion) -> str:
    """What lies beside Linux then, in two words."""
    return _COSTS[opinion.way]


# ------------------------------------------------------------------ this Linux


def facts(seen: Seen) -> list[tuple[str, str]]:
    """How it starts, as pairs, in plain words."""
    setup = seen.setup
    rows = [("Computer", f"{setup.hostname}, {setup.system}")]
    if setup.kernel != "Linux":
        return rows
    rows += [
        ("Starts by", _firmware(setup)),
        ("Menu", _menu(setup)),
        ("/boot", _boot(setup.volumes[0])),
    ]
    if setup.grub_dir:
        rows.append(("Shown", _shown(setup)))
    rows.append(("Spare disks", _spare(setup)))
    if setup.pools:
        rows.append(("ZFS pools", f"{', '.join(setup.pools)}. SmartOS takes none but those it is told."))
    return rows


def _firmware(setup: Setup) -> str:
    if setup.firmware == "bios":
        return "BIOS: GRUB can load SmartOS itself" if setup.grub_dir else "BIOS"
    secure = {
        True: "Secure Boot is ON",
        False: "Secure Boot is off",
        None: "whether Secure Boot is on cannot be told",
    }
    return f"UEFI; {secure[setup.secure_boot]}. GRUB cannot load SmartOS itself here"


def _menu(setup: Setup) -> str:
    if not setup.grub_dir:
        return f"no GRUB{f'; it seems to be {setup.loader}' if setup.loader else ''}"
    return f"GRUB: {setup.grub_cfg}, made by {setup.by_hand}"


def _boot(volume: Volume | None) -> str:
    if volume is None:
        return "cannot be told"
    own = "a partition of its own" if volume.point != "/" else "part of /"
    layers = f" on {', '.join(volume.layers)}" if volume.layers else ""
    free = f"{size(volume.free)} free" if volume.free is not None else "free space unknown"
    short = f"; that is tight, {TIGHT_WORDS}" if is_tight(volume) else ""
    return f"{own}, {volume.fstype or 'unknown file system'}{layers}, {free}{short}"


def is_tight(volume: Volume | None) -> bool:
    """Whether a platform would hardly fit. What it needs exactly is known once the release is."""
    return volume is not None and volume.free is not None and volume.free < TIGHT


def _shown(setup: Setup) -> str:
    if setup.menu_hidden:
        return "GRUB's menu is hidden: hold Shift, or press Esc, while the computer starts"
    return "GRUB's menu is shown while the computer starts"


def _spare(setup: Setup) -> str:
    if setup.unused:
        return "; ".join(setup.unused)
    return "cannot be told" if setup.unused is None else "NONE: every fixed disk is used by this Linux"


def installed_words(seen: Seen) -> list[tuple[str, str]]:
    """What is beside it already, as pairs."""
    record = seen.record
    if record is None:
        what = seen.unreadable or "something of an installation that was cut short"
        return [("Found", what), *(("", each) for each in seen.traces)]
    rows = [
        (
            "Release",
            record.stamp
            if record.way != Way.CHAINLOAD.value
            else "that of the key or disk it is started from",
        ),
        ("Way", NAMES[Way(record.way)]),
        ("State", "whole" if record.done else "cut short: take it away, then begin anew"),
    ]
    rows += [("Entry" if not n else "", title) for n, title in enumerate(record.titles)]
    rows += [("Files" if not n else "", each) for n, each in enumerate(seen.traces)]
    return rows


# ------------------------------------------------------------------ the same by command


def _root(seen: Seen) -> list[str]:
    return ["--root", seen.root] if seen.root else []


def source_flags(said: Beside) -> list[str]:
    """Which release and which way."""
    if said.way is Way.CHAINLOAD:
        return ["--chainload", said.uuid or "UUID"]
    return ["--release", said.stamp or "latest", *(["--way", "iso"] if said.way is Way.ISO else [])]


def told_flags(said: Beside) -> str:
    """What SmartOS is told; a loader of its own is told nothing here."""
    return "" if said.way is Way.CHAINLOAD else boot_flags(said.choices, said.given)


def command_words(verb: str, said: Beside, source: list[str] | None = None) -> str:
    """`dualboot plan` or `dualboot install` with all that was decided; `install` is confirmed."""
    words = ["dualboot", verb, *(source if source is not None else source_flags(said))]
    confirm = ["--confirm", said.seen.setup.hostname] if verb == "install" else []
    return " ".join(
        part
        for part in (shlex.join(words), told_flags(said), shlex.join([*confirm, *_root(said.seen)]))
        if part
    )


def plan_words(seen: Seen) -> str:
    """The command that looks."""
    return shlex.join(["dualboot", "plan", *_root(seen)])


def remove_words(root: str, hostname: str) -> str:
    """The command that takes it away."""
    return shlex.join(["dualboot", "remove", "--confirm", hostname, *(["--root", root] if root else [])])


# ------------------------------------------------------------------ the next start


def next_boot(disk: str, titles: tuple[str, ...], *, hidden: bool, chained: bool, told: bool) -> list[str]:
    """What to do at the next start, one sentence after the other. `disk` is the one its pool shall take, in words.

    `hidden`: GRUB's menu is not shown; `chained`: its own loader is started; `told`: rescue has a password of its own.
    """
    shown = (
        " GRUB's menu is hidden here: hold Shift, or press Esc, while the computer starts." if hidden else ""
    )
    password = "the one you chose" if told else "root"
    found = []
    if chained:
        found += [
            "Before: Home, Look after a key, Configure, Only these pools: zones. Otherwise SmartOS takes every ZFS pool it sees.",
            f"Restart with the key plugged in.{shown} Choose {titles[0] if titles else 'SmartOS'}; what starts by itself is what did before.",
            "Its own menu comes. When SmartOS' setup shows the pool layout, answer: manual",
        ]
    else:
        found += [
            f"Restart.{shown} SmartOS stands at the end of GRUB's menu; what starts by itself is what did before.",
            "Choose “rescue” first: it imports no pool and runs no setup, so it shows safely whether SmartOS knows this hardware. "
            f"Log in as root, password: {password}",
            "Restart, choose the other entry. When SmartOS' setup shows the pool layout, answer: manual",
        ]
    where = (
        f" Yours is {disk}: find it there by its size and serial, its name is another one." if disk else ""
    )
    return [
        *found,
        f"In the shell that opens, diskinfo lists the disks.{where} Never take the one with this Linux.",
        "zpool create zones DISK makes the pool; it must be called zones. Then exit, and setup goes on.",
    ]
