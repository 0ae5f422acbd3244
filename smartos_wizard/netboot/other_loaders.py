"""What PXELINUX and GRUB are told where a site starts its machines with those instead of iPXE. Pure.

Facts: smartos-docs, pxe-booting-smartos (mboot.c32, `---` between modules); GRUB manual, multiboot and module (the
first word after the file is what the kernel sees as its own name, so the path is given twice).
"""

from __future__ import annotations

from smartos_wizard.boot.model import BootChoices
from smartos_wizard.netboot.bootline import CONSOLE, line_of
from smartos_wizard.netboot.ipxe import DELAY, MARK, Extra
from smartos_wizard.netboot.model import ARCHIVE, HASH, KERNEL, path_of


def _variants(choices: BootChoices) -> list[tuple[str, str, bool | None]]:
    """Ending of the name, console, rescue: what a menu without variables offers for each release."""
    serial = "text" if (choices.console or CONSOLE) != "text" else "ttya"
    return [("", "", None), (f"-{serial}", serial, None), ("-rescue", "", True)]


def pxelinux(stamps: tuple[str, ...], choices: BootChoices, extras: tuple[Extra, ...] = ()) -> str:
    """A `pxelinux.cfg` file: the newest release by itself, every other by its name. Paths from PXELINUX's root."""
    delay = DELAY if choices.delay is None else choices.delay
    lines = [MARK, f"DEFAULT {stamps[0]}", "PROMPT 1", f"TIMEOUT {max(1, delay * 10) if delay >= 0 else 0}"]
    lines += ["SAY SmartOS over the network. Type a name, or press Enter for the newest:"]
    entries = []
    for stamp in stamps:
        for ending, console, rescue in _variants(choices):
            words = line_of(choices, console=console, rescue=rescue).words()
            modules = [
                f"{path_of(stamp, KERNEL)} {words}",
                f"{path_of(stamp, ARCHIVE)} type=rootfs name=ramdisk",
                f"{path_of(stamp, HASH)} type=hash name=ramdisk",
            ]
            for extra in extras:
                modules += [
                    f"{extra.path} type=file name={extra.name}",
                    f"{extra.path}.hash type=hash name={extra.name}",
                ]
            lines.append(f"SAY   {stamp}{ending}")
            entries += [f"LABEL {stamp}{ending}", "  KERNEL mboot.c32", f"  APPEND {' --- '.join(modules)}"]
    return "\n".join([*lines, *entries]) + "\n"


def grub(stamps: tuple[str, ...], choices: BootChoices) -> str:
    """A `grub.cfg` for a GRUB that was started over the network by BIOS; paths from the root it came from."""
    delay = DELAY if choices.delay is None else choices.delay
    lines = [MARK, "set default=0", f"set timeout={delay}"]
    for stamp in stamps:
        for ending, console, rescue in _variants(choices):
            line = line_of(choices, console=console, rescue=rescue)
            kernel, archive, hash_ = (f"/{path_of(stamp, path)}" for path in (KERNEL, ARCHIVE, HASH))
            lines += [
                f"menuentry 'SmartOS {stamp}{ending}' {{",
                "  insmod multiboot",
                f"  multiboot {kernel} {kernel} {_grub_words(line.words())}",
                f"  module {archive} {archive} type=rootfs name=ramdisk",
                f"  module {hash_} {hash_} type=hash name=ramdisk",
                "}",
            ]
    return "\n".join(lines) + "\n"


def _grub_words(words: str) -> str:
    """Each word in GRUB's own double quotes where it holds what GRUB would take for its own (`'`, `$`, `;`, `<`)."""
    return " ".join(_grub_word(word) for word in words.split(" "))


def _grub_word(word: str) -> str:
    if not any(letter in word for letter in "'$;<>&|{}#*"):
        return word
    return '"' + word.replace("\\", "\\\\").replace("$", "\\$").replace('"', '\\"') + '"'
