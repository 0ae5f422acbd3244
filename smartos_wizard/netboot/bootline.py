"""The kernel's own words: flags and boot properties for these choices, for whoever starts it without the loader.

Pure. Facts: illumos, uts/i86pc/os/fakebop.c (`-B name=value,…`, quotes around a value with a comma) and
boot/forth/menu-commands.4th (Rescue Mode, kmdb).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from smartos_wizard.boot.key_files import kernel_properties
from smartos_wizard.boot.model import BootChoices, Kmdb
from smartos_wizard.core.errors import UsageProblem

CONSOLE = "text"
"""Where SmartOS talks when nobody says otherwise: the screen."""
SPEED = 115200
"""What a release gives its serial consoles (smartos-live: tools/build_boot_image, `ttya-mode`)."""
RESCUE_SHADOW = "$5$2HOHRnK3$NvLlm.1KQBbB0WjoP7xcIwGnllhzp2HnT.mDO7DpxYA"
"""root_shadow of a release's loader.conf: the password `root`. Without one, rescue takes the build's random password."""
RESCUE = {"smartos": "false", "noimport": "true", "standalone": "true"}
"""What the loader's Rescue Mode sets."""
_TAKES = re.compile(r"[!#-&(-\[\]-z|~]*\Z")  # printable ASCII but blank " ' \ { }
_MENU = ("console", "smartos", "noimport", "standalone", "root_shadow", "nmi")


@dataclass(frozen=True, slots=True)
class Line:
    """What the kernel is told: one letter flags (`-kd`, or empty) and properties in their order."""

    flags: str
    properties: dict[str, str]

    def words(self) -> str:
        """As it stands behind the kernel's name. Raises UsageProblem `not-for-the-network`."""
        told = ",".join(f"{name}={quoted(name, value)}" for name, value in self.properties.items())
        return " ".join(word for word in (self.flags, f"-B {told}") if word)


def line_of(choices: BootChoices, *, console: str = "", rescue: bool | None = None) -> Line:
    """The line for these choices, with another console or in rescue where that is said. Raises UsageProblem."""
    chosen = choices.with_(rescue=rescue if rescue is not None else choices.rescue)
    own = chosen.console or CONSOLE
    if console and console != own:
        chosen = chosen.with_(console=console, speed=None)
    name = chosen.console or CONSOLE
    found = {"console": name}
    if name != "text":
        found[f"{name}-mode"] = f"{chosen.speed or SPEED},8,n,1,-"
    more = kernel_properties(chosen.with_(console=name))
    if chosen.rescue:
        found |= RESCUE
        found["root_shadow"] = chosen.root_shadow or RESCUE_SHADOW
    for key, value in more.items():
        found.setdefault(key, value)
    return Line(flags_of(chosen), found)


def flags_of(choices: BootChoices) -> str:
    """`-v` to tell what it does, `-k` to load the debugger, `-d` to stop in it at once."""
    kmdb = choices.kmdb
    letters = "v" if choices.verbose else ""
    letters += "k" if kmdb not in (None, Kmdb.OFF) else ""
    letters += "d" if kmdb in (Kmdb.BOOT, Kmdb.BOOT_NMI) else ""
    return f"-{letters}" if letters else ""


def own_properties(choices: BootChoices) -> dict[str, str]:
    """What these choices set beside console, rescue and password, which a menu changes."""
    return {k: v for k, v in kernel_properties(choices).items() if k not in _MENU and not k.endswith("-mode")}


def quoted(name: str, value: str) -> str:
    """A value as the line takes it. Raises UsageProblem `not-for-the-network` for what it cannot hold."""
    if not _TAKES.match(value):
        raise UsageProblem(
            "not-for-the-network",
            f"The kernel cannot be given this value of {name} over the network.",
            hint="Leave out blanks, quotes, backslashes, braces and letters that are not ASCII.",
        )
    return f"'{value}'" if "$" in value or "," in value else value
