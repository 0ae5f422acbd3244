"""Every file that a tree has beside its releases, from what is in it and what machines are told. Pure."""

from __future__ import annotations

import hashlib

from smartos_wizard.boot.answers_text import render
from smartos_wizard.boot.model import BootChoices
from smartos_wizard.core.errors import UsageProblem
from smartos_wizard.netboot.ipxe import Extra, first_script, menu_script
from smartos_wizard.netboot.model import FIRST_SCRIPT, GRUB, MENU, PXELINUX, Machine
from smartos_wizard.netboot.other_loaders import grub, pxelinux
from smartos_wizard.netboot.tree import Wishes

ANSWERS = "answers.json"
"""The name under which setup finds its answers at /system/boot (smartos-live: smartos_prompt_config.sh)."""


def scripts_for(stamps: tuple[str, ...], wishes: Wishes) -> dict[str, bytes]:
    """Path in the tree to content, for these releases (newest first). Raises UsageProblem."""
    if not stamps:
        raise UsageProblem("no-release", "There is no release in the tree, so there is nothing to start.")
    menu = wishes.menu
    files: dict[str, bytes] = {}
    shared = _extras("all", menu)
    for extra, data in shared.items():
        files |= _guarded(extra, data)
    files[FIRST_SCRIPT] = first_script(wishes.machines).encode()
    files[MENU] = menu_script(stamps, menu, extras=tuple(shared)).encode()
    files[f"{PXELINUX}/default"] = pxelinux(stamps, menu, tuple(shared)).encode()
    files[GRUB] = grub(stamps, menu).encode()
    for machine in wishes.machines:
        files |= _machine(stamps, machine)
    return files


def has_password(wishes: Wishes) -> bool:
    """Whether what is served holds a password or its hash, which everybody on that network could read."""
    every = (wishes.menu, *(m.choices for m in wishes.machines))
    return any(bool(c.root_shadow) or "root_password" in (c.answers or {}) for c in every)


def not_served(choices: BootChoices) -> tuple[str, ...]:
    """What these choices put on a key and no network boot can: files on the FAT file system."""
    return tuple(choices.files)


def _machine(stamps: tuple[str, ...], machine: Machine) -> dict[str, bytes]:
    extras = _extras(machine.place, machine.choices)
    files: dict[str, bytes] = {}
    for extra, data in extras.items():
        files |= _guarded(extra, data)
    title = f"SmartOS for {machine.mac.replace('-', ':')}"
    files[f"{machine.place}/{FIRST_SCRIPT}"] = menu_script(
        stamps, machine.choices, up="../../", title=title, extras=tuple(extras)
    ).encode()
    files[f"{PXELINUX}/01-{machine.mac}"] = pxelinux(stamps, machine.choices, tuple(extras)).encode()
    return files


def _extras(place: str, choices: BootChoices) -> dict[Extra, bytes]:
    found = {Extra(f"{place}/files/{m.name}", m.name): m.data for m in choices.modules}
    if choices.answers is not None:
        found[Extra(f"{place}/{ANSWERS}", ANSWERS)] = render(choices.answers).encode()
    return found


def _guarded(extra: Extra, data: bytes) -> dict[str, bytes]:
    """A file and the hash module that guards it; that of answers has no line end (smartos-docs)."""
    digest = hashlib.sha1(data, usedforsecurity=False).hexdigest()
    return {extra.path: data, f"{extra.path}.hash": digest.encode()}
