"""What would be put beside this Linux: the files with their places, and the text of the entries. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from smartos_wizard.boot.answers_text import render
from smartos_wizard.boot.model import BootChoices
from smartos_wizard.core.errors import UsageProblem
from smartos_wizard.netboot import grub_entry
from smartos_wizard.netboot.dualboot_model import File, Volume, Way
from smartos_wizard.netboot.grub_entry import Extra, Told, choices_beside_linux, told

_TOLD, _TOLD_IN_RESCUE, _ANSWERS, _MODULES = "told", "told-in-rescue", "answers.json", "modules"


@dataclass(frozen=True, slots=True)
class Draft:
    """An installation as it would be. `files` are copied, `own` written from the choices (bytes by path); both below
    `home`. `entries` is what GRUB's menu gets, `titles` are its entries, `uuid` is of the partition
    that a loader is chained from.
    """

    way: Way
    home: str
    stamp: str
    files: tuple[File, ...]
    own: dict[str, bytes]
    entries: str
    titles: tuple[str, ...]
    uuid: str = ""

    @property
    def size(self) -> int:
        """Bytes that it takes."""
        return sum(f.size for f in self.files) + sum(map(len, self.own.values()))


def files_of(way: Way, stamp: str, sizes: dict[str, int]) -> tuple[File, ...]:
    """What is copied: the files of the platform, or the ISO as it is. `sizes` are by path inside the release."""
    if way is Way.CHAINLOAD:
        return ()
    return tuple(File(f"{stamp}/{path}", size) for path, size in sizes.items())


def iso_name(stamp: str) -> str:
    """What the copy of an ISO is called."""
    return f"smartos-{stamp}.iso"


def refuse_choices(choices: BootChoices) -> None:
    """Raise UsageProblem for choices that belong to a key or a network, and mean nothing in GRUB's menu."""
    if choices.rescue is not None or choices.delay is not None or choices.files:
        which = (
            "--rescue"
            if choices.rescue is not None
            else "--boot-delay"
            if choices.delay is not None
            else "--add-file"
        )
        raise UsageProblem(
            "not-beside-linux", f"{which} means nothing beside Linux.",
            hint="There is an entry for rescue in any case; how long the menu waits says GRUB_TIMEOUT in /etc/default/grub.",
        )  # fmt: skip


def draft(
    way: Way, home: str, volume: Volume, stamp: str, files: Sequence[File], choices: BootChoices, uuid: str = ""
) -> Draft:  # fmt: skip
    """Put it together. `uuid` is of the partition that a loader is chained from. Raises UsageProblem."""
    if way is Way.CHAINLOAD:
        title = "SmartOS (its own loader)"
        text = grub_entry.chain_entry(title, "smartos-wizard-loader", uuid)
        return Draft(way, home, stamp, (), {}, text, (title,), uuid)
    own = own_files(stamp, choices)
    normal, rescue = _told(choices)
    shared = [(f"{stamp}/{_MODULES}/{m.name}", f"type=file name={m.name}") for m in choices.modules]
    first, second = list(shared), list(shared)
    for name, words, extras in (
        (_TOLD, "type=environment", first),
        (_ANSWERS, "type=file name=answers.json", first),
        (_TOLD_IN_RESCUE, "type=environment", second),
    ):
        if f"{stamp}/{name}" in own:
            extras.append((f"{stamp}/{name}", words))

    def entry(title: str, ident: str, what: Told, extras: list[tuple[str, str]]) -> str:
        found = [Extra(volume.for_grub(f"{home}/{path}"), words) for path, words in extras]
        iso = volume.for_grub(f"{home}/{stamp}/{iso_name(stamp)}") if way is Way.ISO else ""
        prefix = "" if iso else volume.for_grub(f"{home}/{stamp}")
        return grub_entry.entry(title, ident, volume, prefix, what, found, iso=iso)

    password = "password chosen" if choices.root_shadow else "password root"
    titles = (f"SmartOS {stamp}", f"SmartOS {stamp} rescue (no pool, no setup; root, {password})")
    text = entry(titles[0], f"smartos-wizard-{stamp}", normal, first)
    text += entry(titles[1], f"smartos-wizard-{stamp}-rescue", rescue, second)
    return Draft(way, home, stamp, tuple(files), own, text, titles)


def own_files(stamp: str, choices: BootChoices) -> dict[str, bytes]:
    """What is written from the choices, bytes by path below the home. Holds secrets. Raises UsageProblem."""
    normal, rescue = _told(choices)
    found = {f"{stamp}/{_MODULES}/{module.name}": module.data for module in choices.modules}
    for what, name in ((normal, _TOLD), (rescue, _TOLD_IN_RESCUE)):
        if what.environment:
            found[f"{stamp}/{name}"] = what.module
    if choices.answers is not None:
        found[f"{stamp}/{_ANSWERS}"] = render(choices.answers).encode()
    return found


def _told(choices: BootChoices) -> tuple[Told, Told]:
    """What the kernel is told normally, and in rescue."""
    pair = (choices_beside_linux(choices, rescue=rescue) for rescue in (False, True))
    normal, rescue = (told(each, secret=choices.root_shadow) for each in pair)
    return normal, rescue
