"""What `VBoxManage --version` says: a version with suffixes of its packagers, and often a warning before it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from smartos_wizard.guests.model import Finding
from smartos_wizard.guests.virtualbox.said import split_warning

OLDEST = (6, 1)
NEWEST = (7, 2)
"""The newest line this program was tried with; a later one is taken, with a warning."""
_VERSION = re.compile(r"^(\d+)\.(\d+)\.(\d+)(_[A-Za-z0-9_]+?|[A-Za-z0-9_.-]*?)?(?:r(\d+))?$")
_BAD = {
    (7, 0, 0): "it tells only one of several port forwards, and its network is unreliable",
    (7, 1, 2): "its network has faults that 7.1.4 mended",
    (7, 2, 0): "its network has faults that 7.2.4 mended",
    (7, 2, 2): "its network has faults that 7.2.4 mended",
}


@dataclass(frozen=True, slots=True)
class Reading:
    """A version as numbers, None where there is none in what was said; the packager's suffix; the warning before it."""

    numbers: tuple[int, int, int] | None
    vendor: str = ""
    warning: str = ""

    @property
    def text(self) -> str:
        """The version as people write it."""
        return ".".join(map(str, self.numbers)) if self.numbers else "unknown"

    @property
    def line(self) -> tuple[int, int]:
        """Major and minor number; (0, 0) where nothing is known."""
        return self.numbers[:2] if self.numbers else (0, 0)


def read(said: str) -> Reading:
    """The version in the output, from the last line that has the form of one."""
    warning, rest = split_warning(said)
    for line in reversed(rest.splitlines()):
        match = _VERSION.match(line.strip())
        if match:
            return Reading(
                (int(match[1]), int(match[2]), int(match[3])), (match[4] or "").strip("_"), warning
            )
    return Reading(None, "", warning)


def judge(reading: Reading) -> tuple[Finding, ...]:
    """What speaks against this version: too old is an error, unknown and known to be bad are warnings."""
    if reading.numbers is None:
        return (
            Finding("virtualbox-broken", "VBoxManage does not tell its version, so VirtualBox is broken here.",
                    hint="Install VirtualBox again."),
        )  # fmt: skip
    if reading.line < OLDEST:
        return (
            Finding("virtualbox-too-old", f"VirtualBox {reading.text} is too old; 6.1 is the oldest that will do.",
                    hint="Install a newer one from virtualbox.org or your distribution."),
        )  # fmt: skip
    found = []
    if reading.line > NEWEST:
        found.append(
            Finding("virtualbox-newer", f"VirtualBox {reading.text} is newer than any this program was tried with.",
                    "warning", "It will probably do. What it made of a guest is read back and compared.")
        )  # fmt: skip
    bad = _BAD.get(reading.numbers)
    if bad:
        found.append(
            Finding("virtualbox-faulty", f"VirtualBox {reading.text} has known faults: {bad}.", "warning",
                    "Install the latest of its line.")
        )  # fmt: skip
    return tuple(found)
