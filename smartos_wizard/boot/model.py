"""The nouns of the room: what a SmartOS machine is told at boot, decided once and used for a key, a guest, the network.

Pure; imports core only. Facts: illumos loader.conf(5); smartos-docs: modifying-boot-files, non-interactive-install.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any

CONSOLES = ("text", "ttya", "ttyb", "ttyc", "ttyd")
"""What `os_console` may be (illumos: boot/forth/menu-commands.4th)."""
SPEEDS = (9600, 19200, 38400, 57600, 115200)
"""Bits per second of a serial console that the wizard offers; SmartOS ships 115200."""
LOADER_CONF_LOCAL = "boot/loader.conf.local"
MENU_LST = "boot/grub/menu.lst"
ANSWERS = "private/answers.json"
"""Paths on the FAT root of a key. smartos-live: smartos_prompt_config.sh looks for the last one."""


class Kmdb(StrEnum):
    """The kernel debugger, as the loader's Options menu has it (illumos: boot/forth/menu-commands.4th)."""

    OFF = "off"
    LOADED = "loaded"
    NMI = "nmi"
    BOOT = "boot"
    BOOT_NMI = "boot+nmi"


@dataclass(frozen=True, slots=True)
class Module:
    """A file loaded by the boot loader that SmartOS sees at /system/boot/`name`, before /`name` is looked at.

    `name` is a path without a leading slash ("etc/system"), `path` where it lies on the medium
    ("boot/bootfs/etc/system"), `data` its bytes.
    """

    name: str
    path: str
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class BootChoices:
    """What the user decided. None, "" and () mean: leave it as the release has it.

    `speed` is in bits per second and belongs to the serial port named by `console`. `delay` is in seconds
    (0 boots at once, -1 waits for ever). `pools` are the only pools that will be imported. `root_shadow` is a
    SHA-256 crypt string, never a clear password. `answers` is the content of answers.json. `files` are further
    files for the medium, path to bytes. `destroy_pools` is set by the re-install path only.
    """

    console: str = ""
    speed: int | None = None
    verbose: bool | None = None
    kmdb: Kmdb | None = None
    rescue: bool | None = None
    pools: tuple[str, ...] = ()
    delay: int | None = None
    root_shadow: str = ""
    hostname: str = ""
    answers: dict[str, str] | None = None
    modules: tuple[Module, ...] = ()
    files: dict[str, bytes] = field(default_factory=dict)
    destroy_pools: bool = False

    @property
    def empty(self) -> bool:
        """Whether nothing was decided: the medium stays as released."""
        return self == BootChoices()

    def with_(self, **changes: Any) -> BootChoices:
        """A copy with some choices changed."""
        return replace(self, **changes)

    def over(self, below: BootChoices) -> BootChoices:
        """These choices, and those of `below` where nothing was decided here."""
        empty = BootChoices()
        taken = {
            f.name: getattr(self, f.name)
            for f in fields(self)
            if getattr(self, f.name) != getattr(empty, f.name)
        }
        return replace(below, **taken)


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file of a medium and what becomes of it. `old` is None where it is new, `new` None where it goes.

    `secret` means that its content must not be shown, logged or journaled.
    """

    path: str
    old: bytes | None
    new: bytes | None
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Warned:
    """Something the user must know where it matters: a stable name, a sentence, `error`, `warning` or `info`."""

    reference: str
    text: str
    level: str = "warning"
