"""What is mounted and swapped on, as the kernel tells it (proc(5): mountinfo, swaps). Parses, judges nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass

from smartos_wizard.media.disks.reader import Reader

_OCTAL = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class MountLine:
    """A line of mountinfo. `dev` is (major, minor), major 0 where no single block device stands behind it.

    `elsewhere` is set for what only the first process of the machine sees (another mount namespace).
    """

    dev: tuple[int, int]
    point: str
    fstype: str
    source: str
    options: tuple[tuple[str, str], ...] = ()
    elsewhere: bool = False

    def option(self, key: str) -> list[str]:
        """All values of an option of the file system."""
        return [value for name, value in self.options if name == key]


def read_mounts(reader: Reader) -> tuple[MountLine, ...] | None:
    """Everything mounted, in order of mounting; None where that cannot be read."""
    try:
        text = reader.text("/proc/self/mountinfo")
    except OSError:
        return None
    if text is None:
        return None
    mine = parse_mountinfo(text)
    if mine is None:
        return None
    try:
        first = parse_mountinfo(reader.text("/proc/1/mountinfo") or "", elsewhere=True) or ()
    except OSError:
        first = ()
    known = {(m.dev, m.source) for m in mine}
    return (*mine, *(m for m in first if (m.dev, m.source) not in known))


def parse_mountinfo(text: str, elsewhere: bool = False) -> tuple[MountLine, ...] | None:
    """The lines of a mountinfo; None when any line makes no sense, since it may be the one that matters."""
    found = []
    for line in text.splitlines():
        left, dash, right = line.partition(" - ")
        head, tail = left.split(" "), right.split(" ")
        if not dash or len(head) < 6 or len(tail) < 2:
            return None
        major, colon, minor = head[2].partition(":")
        if not colon or not major.isdigit() or not minor.isdigit():
            return None
        options = tuple(_option(o) for o in (tail[2] if len(tail) > 2 else "").split(","))
        dev = (int(major), int(minor))
        found.append(MountLine(dev, unescape(head[4]), tail[0], unescape(tail[1]), options, elsewhere))
    return tuple(found)


def _option(text: str) -> tuple[str, str]:
    key, _, value = text.partition("=")
    return key, unescape(value)


def read_swaps(reader: Reader) -> tuple[str, ...] | None:
    """Paths of the devices and files swapped on; None where that cannot be read.

    A kernel without swap has no such file, which is an honest "none".
    """
    try:
        text = reader.text("/proc/swaps")
    except OSError:
        return None
    return tuple(unescape(line.split()[0]) for line in (text or "").splitlines()[1:] if line.split())


def unescape(text: str) -> str:
    """Undo the kernel's octal escapes of white space."""
    return _OCTAL.sub(lambda m: chr(int(m[1], 8)), text)


def mount_at(path: str, mounts: tuple[MountLine, ...]) -> MountLine | None:
    """The mount a path lies on: the longest mount point above it, the newest where two share one."""
    best: MountLine | None = None
    for line in mounts:
        if line.elsewhere:
            continue
        inside = path == line.point or path.startswith(line.point.rstrip("/") + "/")
        if inside and (best is None or len(line.point) >= len(best.point)):
            best = line
    return best
