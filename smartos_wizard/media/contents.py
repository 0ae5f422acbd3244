"""What is on a key or raw image: which SmartOS, which console, whose files, and what is wrong with it.

Reads a few megabytes through a reading function; nothing is mounted. Imports no devices.
File tree: smartos-live, tools/build_boot_image (populate_root); console: illumos loader.conf(5).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import Any

from smartos_wizard.boot.loader_conf import console_of, grub_console, merge, nonsense
from smartos_wizard.core.text import tame
from smartos_wizard.media.extras import extra_files, left_by_desktops
from smartos_wizard.media.fat import FatProblem, FatVolume
from smartos_wizard.media.locating import locate
from smartos_wizard.media.model import KeyContents
from smartos_wizard.media.partitions import Entry, Pread, Table, read_table
from smartos_wizard.media.told import told

__all__ = ["ARCHIVE", "KERNEL", "locate", "read_contents"]

ARCHIVE = "platform/i86pc/amd64/boot_archive"
KERNEL = "platform/i86pc/kernel/amd64/unix"
_CONF, _CONF_LOCAL = "boot/loader.conf", "boot/loader.conf.local"
_MENU = "boot/grub/menu.lst"
_SHIPPED_SHADOW = "$5$2HOHRnK3$NvLlm.1KQBbB0WjoP7xcIwGnllhzp2HnT.mDO7DpxYA"


@dataclass(slots=True)
class _Inside:
    stamp: str = ""
    boot_stamp: str = ""
    console: str = ""
    settings: dict[str, str] = field(default_factory=dict)
    extras: tuple[str, ...] = ()
    foreign: bool = False
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    previous: str = ""
    answers: tuple[str, ...] | None = None
    asks: tuple[str, ...] = ()
    unfinished: bool = False


def read_contents(pread: Pread, size: int, *, deep: bool = False) -> KeyContents:
    """What the `size` bytes that `pread` reads hold. Raises only OSError of `pread`.

    `deep` also reads boot_archive, several hundred megabytes, and compares it with the SHA-1 beside it.
    Whatever is wrong is a sentence in `problems`; an empty tuple means healthy as far as was looked.
    """
    table = read_table(pread, size)
    inside = _Inside()
    inside.problems += table.problems
    inside.notes += table.notes
    if table.scheme == "iso":
        inside.problems.append(
            "An ISO was written here. It is for CDs and virtual machines and does not boot."
        )
    elif table.root is not None:
        _read_root(pread, size, table, inside, deep)
        _read_esp(pread, size, table, inside)
    elif table.scheme != "none":
        inside.problems.append("There is no partition with SmartOS on it.")
    return KeyContents(
        layout=table.scheme if table.scheme != "none" and not inside.foreign else "",
        key_version="" if inside.foreign else table.key_version,
        stamp=inside.stamp,
        boot_stamp=inside.boot_stamp,
        console=inside.console,
        settings=inside.settings,
        extra_files=inside.extras,
        partitions=tuple(_partition(entry) for entry in table.entries),
        problems=tuple(dict.fromkeys(inside.problems)),
        notes=tuple(inside.notes),
        previous=inside.previous,
        answers=inside.answers,
        asks=inside.asks,
        unfinished=inside.unfinished,
    )


def _partition(entry: Entry) -> dict[str, Any]:
    return {
        "slot": entry.slot,
        "name": entry.name,
        "type": entry.type,
        "first": entry.first,
        "size": entry.size,
    }


def _read_root(pread: Pread, size: int, table: Table, inside: _Inside, deep: bool) -> None:
    root = table.root
    assert root is not None
    try:
        volume = FatVolume(pread, root.first, min(root.size, max(0, size - root.first)))
        if table.scheme == "mbr" and volume.find("platform") is None and volume.find("boot") is None:
            inside.foreign = True  # a legacy key and an ordinary stick have the same partition table
            inside.problems.append("There is no SmartOS on it: it is an ordinary stick with a FAT partition.")
            return
        _stamps(volume, inside)
        _console(volume, inside)
        _platform(volume, inside, deep)
        paths = [f.path for f in volume.files() if not f.directory]
        inside.extras = extra_files(paths)
        told(volume, pread, root.first, inside)
        if left_by_desktops(paths):
            inside.notes.append("A desktop system left some of its own files there; they do no harm.")
    except FatProblem as problem:
        inside.problems.append(f"The SmartOS partition cannot be read: {problem}")


def _read_esp(pread: Pread, size: int, table: Table, inside: _Inside) -> None:
    esp = table.entry("loader")
    if esp is None:
        return
    try:
        volume = FatVolume(pread, esp.first, min(esp.size, max(0, size - esp.first)))
        if volume.find("efi/boot/bootx64.efi") is None:
            inside.problems.append("The file that UEFI starts, /efi/boot/bootx64.efi, is missing.")
    except FatProblem as problem:
        inside.problems.append(f"The EFI partition cannot be read: {problem}")


def _stamps(volume: FatVolume, inside: _Inside) -> None:
    inside.stamp = _line(volume, "platform/etc/version/platform")
    inside.boot_stamp = _line(volume, "etc/version/boot")
    if inside.stamp and inside.boot_stamp and inside.stamp != inside.boot_stamp:
        inside.notes.append(
            f"Its boot files are of {inside.boot_stamp}, its platform of {inside.stamp}: it was changed after writing."
        )


def _console(volume: FatVolume, inside: _Inside) -> None:
    menu = _text(volume, _MENU)
    if menu is not None:
        inside.console = grub_console(menu)
        return
    conf, local = _text(volume, _CONF), _text(volume, _CONF_LOCAL)
    if conf is None:
        inside.problems.append(f"{_CONF} is missing.")
    inside.settings = merge(conf or "", local or "")
    inside.console = console_of(inside.settings)
    for name, text in ((_CONF, conf), (_CONF_LOCAL, local)):
        for line in nonsense(text or ""):
            inside.problems.append(f"{name} has a line the loader will not understand: {tame(line)}")
    shadow = inside.settings.get("root_shadow")
    if shadow is not None:
        shipped = shadow == _SHIPPED_SHADOW
        inside.settings["root_shadow"] = "(as released)" if shipped else "(changed; not shown)"


def _platform(volume: FatVolume, inside: _Inside, deep: bool) -> None:
    for path, what in ((KERNEL, "The kernel"), (ARCHIVE, "The boot archive")):
        file = volume.find(path)
        if file is None or file.directory or not file.size:
            inside.problems.append(f"{what}, {path}, is missing.")
        elif not volume.whole(file):
            inside.problems.append(f"{what}, {path}, is incomplete: its clusters do not hold all its bytes.")
        elif path == ARCHIVE:
            _archive(volume, inside, deep)


def _archive(volume: FatVolume, inside: _Inside, deep: bool) -> None:
    expected = _line(volume, f"{ARCHIVE}.hash")
    if not expected:
        inside.notes.append(f"There is no {ARCHIVE}.hash, so the kernel will not check the boot archive.")
    elif not re.fullmatch(r"[0-9a-f]{40}", expected):
        inside.problems.append(f"{ARCHIVE}.hash does not hold a SHA-1.")
    elif deep:
        file = volume.find(ARCHIVE)
        assert file is not None
        digest = hashlib.sha1(usedforsecurity=False)
        for piece in volume.chunks(file):
            digest.update(piece)
        if digest.hexdigest() != expected:
            inside.problems.append("The boot archive is not what its hash says: SmartOS will panic at boot.")


def _text(volume: FatVolume, path: str) -> str | None:
    data = volume.read(path)
    return None if data is None else data.decode("utf-8", "replace")


def _line(volume: FatVolume, path: str) -> str:
    text = (_text(volume, path) or "").strip()
    return tame(text.splitlines()[0]) if text else ""
