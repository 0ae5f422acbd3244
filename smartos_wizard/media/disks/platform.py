"""Picks the Disks of this operating system."""

from __future__ import annotations

import sys
import time

from smartos_wizard.core.errors import Refused
from smartos_wizard.media.disks.manual import manual_commands
from smartos_wizard.media.model import Disk
from smartos_wizard.media.ports import Disks


def system_disks(platform: str = sys.platform) -> Disks:
    """The disks of this machine; elsewhere than on Linux, one that refuses with the commands to type."""
    if platform.startswith("linux"):
        from smartos_wizard.media.disks.linux import LinuxDisks

        return LinuxDisks()
    return OtherDisks(platform)


class OtherDisks:
    """Stands in where this program does not know the system's disks well enough to touch them."""

    def __init__(self, platform: str) -> None:
        self._platform = platform

    def list(self) -> tuple[Disk, ...]:
        """Raises Refused `not-linux`, with the manual commands as its hint."""
        raise Refused(
            "not-linux",
            "SmartOS Wizard writes keys on Linux only. Downloading and verifying work here, and so does"
            " writing to a file (--file).",
            hint="To write the key by hand:\n" + manual_commands(self._platform, "IMAGE.img.gz", ""),
            system=self._platform,
        )

    def changed(self, seconds: float) -> bool:
        """Nothing is watched; waits."""
        time.sleep(seconds)
        return False
