"""The entries of GRUB's menu that start SmartOS, as text; and what they cannot say, as a boot module.

Pure. Facts: old SmartOS wiki, “Booting SmartOS from GRUB2” (the path twice, since GRUB drops the first word; the
modules; `set root` without parentheses); illumos: uts/i86pc/dboot/dboot_startkern.c (module words), os/fakebop.c (a comma
ends a value of -B unless in quotes; the module type=environment). GRUB puts a backslash before every quote that it
hands on, so a value with a comma cannot be said in its line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from smartos_wizard.boot import loader_write
from smartos_wizard.boot.key_files import kernel_properties
from smartos_wizard.boot.model import BootChoices
from smartos_wizard.core.errors import UsageProblem
from smartos_wizard.netboot.dualboot_model import Volume

KERNEL = "/platform/i86pc/kernel/amd64/unix"
ARCHIVE = "/platform/i86pc/amd64/boot_archive"
ROOT_ROOT = "$5$2HOHRnK3$NvLlm.1KQBbB0WjoP7xcIwGnllhzp2HnT.mDO7DpxYA"
"""The password `root` as releases ship it in boot/loader.conf (smartos-live: tools/build_boot_image)."""
DEFAULT_POOLS = ("zones",)
RELEASED_SPEED = 115200
"""Bits per second where a serial console is chosen and no speed: what releases ship (the kernel's own is 9600)."""
LOADER = "/EFI/BOOT/BOOTX64.EFI"
_SAFE = re.compile(r"[A-Za-z0-9._/,:=@%+~-]+")
_SAYABLE = re.compile(r"[!#-&(-\[\]-~]+")  # printable ASCII but blank " ' \
_DRIVERS = {"ext2": "ext2", "ext3": "ext2", "ext4": "ext2", "xfs": "xfs", "vfat": "fat", "btrfs": "btrfs"}
_LAYERS = {"LVM": ("lvm",), "RAID": ("mdraid09", "mdraid1x", "diskfilter")}


@dataclass(frozen=True, slots=True)
class Told:
    """What the kernel is told: in its line, and in a module `type=environment` where a line cannot hold it."""

    flags: str
    line: dict[str, str]
    environment: dict[str, str]

    @property
    def module(self) -> bytes:
        """The module's bytes: name=value, each ended by a NUL (illumos: os/fakebop.c)."""
        return b"".join(f"{name}={value}".encode("ascii") + b"\0" for name, value in self.environment.items())


@dataclass(frozen=True, slots=True)
class Extra:
    """A further module: where GRUB finds it, and the words after its path."""

    path: str
    words: str


def choices_beside_linux(choices: BootChoices, *, rescue: bool) -> BootChoices:
    """The choices of an entry: only the pool `zones`, the screen, and a speed where a port is chosen.

    Rescue imports nothing and runs no setup, so root's password comes from the boot line: `root` unless one was chosen.
    """
    console = choices.console or "text"
    speed = choices.speed if choices.speed is not None else RELEASED_SPEED if console != "text" else None
    base = choices.with_(console=console, speed=speed, delay=None)
    if rescue:
        return base.with_(rescue=True, pools=(), root_shadow=choices.root_shadow or ROOT_ROOT, hostname="")
    return base.with_(rescue=None, pools=choices.pools or DEFAULT_POOLS)


def told(choices: BootChoices, *, secret: str = "") -> Told:
    """What the kernel is told for these choices. A value that is `secret` goes into the module, never into the menu.

    Raises UsageProblem for a choice that SmartOS would not understand.
    """
    line: dict[str, str] = {}
    environment: dict[str, str] = {}
    for name, value in kernel_properties(choices).items():
        fits = _SAYABLE.fullmatch(value) and "," not in value and (not secret or value != secret)
        (line if fits else environment)[name] = value
    for name, value in environment.items():
        if not value.isascii() or not value.isprintable():
            raise UsageProblem("not-for-grub", f"The kernel cannot be given this value of {name}.")
    return Told(_flags(choices), line, environment)


def _flags(choices: BootChoices) -> str:
    found = loader_write.settings_of(BootChoices(kmdb=choices.kmdb, verbose=choices.verbose))
    yes = {name for name, value in found.items() if value == "YES"}
    letters = (("boot_verbose", "v"), ("boot_kmdb", "k"), ("boot_debug", "d"))
    return "".join(letter for name, letter in letters if name in yes)


def entry(
    title: str, ident: str, volume: Volume, prefix: str, what: Told, extras: Sequence[Extra] = (), *, iso: str = ""
) -> str:  # fmt: skip
    """One `menuentry`. `prefix` is the directory above `platform/` as GRUB calls it (empty: the root of its file system).

    With `iso`, that file is looped first and `prefix` is inside it. The paths of `extras` are on `volume`.
    Raises UsageProblem for words that GRUB's shell could not hold.
    """
    lines = [f"menuentry {quoted(title)} --class smartos --class os --id {quoted(ident)} {{"]
    lines += [f"\tinsmod {name}" for name in modules_for(volume, iso=bool(iso))]
    lines.append("\tset gfxpayload=text")
    lines.append(f"\tsearch --no-floppy --fs-uuid --set=root {volume.uuid}")
    if iso:
        lines += [
            "\tset smartos_disk=$root",
            f"\tloopback smartos_iso ($smartos_disk){quoted(iso)}",
            "\tset root=smartos_iso",
        ]
    lines.append(f"\techo {quoted(f'Loading {title} ...')}")
    kernel = f"{prefix}{KERNEL}"
    words = [kernel, kernel, *([f"-{what.flags}"] if what.flags else []), "-B", _options(what.line)]
    lines.append("\tmultiboot " + " ".join(quoted(word) for word in words))
    archive = f"{prefix}{ARCHIVE}"
    lines.append(_module(archive, archive, "type=rootfs name=ramdisk"))
    lines.append(_module(f"{archive}.hash", f"{archive}.hash", "type=hash name=ramdisk"))
    lines += [_module(f"($smartos_disk){e.path}" if iso else e.path, e.path, e.words) for e in extras]
    return "\n".join([*lines, "}", ""])


def chain_entry(title: str, ident: str, uuid: str) -> str:
    """The entry that starts SmartOS' own loader by UEFI from the partition of that UUID."""
    lines = [
        f"menuentry {quoted(title)} --class smartos --class os --id {quoted(ident)} {{",
        "\tinsmod part_gpt", "\tinsmod fat", "\tinsmod chain",
        f"\tsearch --no-floppy --fs-uuid --set=root {uuid}",
        f"\tchainloader {LOADER}", "}", "",
    ]  # fmt: skip
    return "\n".join(lines)


def modules_for(volume: Volume, *, iso: bool) -> tuple[str, ...]:
    """GRUB's own modules that reach the file system; loading one twice does no harm."""
    layers = [name for layer in volume.layers for name in _LAYERS.get(layer, ())]
    driver = _DRIVERS.get(volume.fstype, volume.fstype)
    return ("part_msdos", "part_gpt", *layers, driver, *(("loopback", "iso9660") if iso else ()), "multiboot")


def _options(properties: Mapping[str, str]) -> str:
    return ",".join(f"{name}={value}" for name, value in properties.items())


def _module(file: str, name: str, words: str) -> str:
    shown = file if file.startswith("($smartos_disk)") else quoted(file)
    return f"\tmodule --nounzip {shown} {quoted(name)} {' '.join(quoted(word) for word in words.split())}"


def quoted(word: str) -> str:
    """A word for GRUB's shell, in which `$` and braces stay as they are. Raises UsageProblem."""
    if _SAFE.fullmatch(word):
        return word
    if "'" in word or "\\" in word or "\n" in word or not word.isprintable():
        raise UsageProblem("not-for-grub", "GRUB's menu cannot hold a quote or a backslash in this place.")
    return f"'{word}'"
