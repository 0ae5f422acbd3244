"""The FAT file system on a key that holds SmartOS, found or refused by name; and a draft to try changes on."""

from __future__ import annotations

from dataclasses import dataclass

from smartos_wizard.core.errors import Refused
from smartos_wizard.media.contents import ARCHIVE, KERNEL
from smartos_wizard.media.fat_check import check_volume
from smartos_wizard.media.fat_edit import FatEditor
from smartos_wizard.media.fat_table import damaged
from smartos_wizard.media.partitions import Pread, read_table
from smartos_wizard.media.volume import Volume

SECTOR = 512
_PACKED = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"PK\x03\x04": "zip"}


@dataclass(frozen=True, slots=True)
class Root:
    """Where on the device the volume lies, in bytes. `legacy` is a key that starts with GRUB (before 2019-04)."""

    first: int
    size: int
    legacy: bool


def root_of(pread: Pread, size: int, name: str) -> Root:
    """Find SmartOS's file system among `size` bytes. `name` is for messages.

    Raises Refused `no-smartos`, `iso-not-a-key`, `compressed-image`; nothing was changed then. Raises OSError.
    """
    head = pread(0, 8)
    packed = next((word for magic, word in _PACKED.items() if head.startswith(magic)), None)
    if packed is not None:
        raise Refused(
            "compressed-image",
            f"{name} is compressed ({packed}); files in it cannot be changed. Nothing was changed.",
            hint="Unpack it first, or give the options to `smartos-wizard key write`.",
            context=name,
        )
    table = read_table(pread, size)
    if table.scheme == "iso":
        raise Refused(
            "iso-not-a-key",
            f"{name} is an ISO, which is read-only by its nature. Nothing was changed.",
            hint="Use the USB image of the release.",
            context=name,
        )
    if table.root is None:
        raise Refused(
            "no-smartos",
            f"{name} holds no SmartOS: it is another disk, or writing it was never finished. Nothing was changed.",
            hint="`smartos-wizard key show` says what is on it; `smartos-wizard key write` makes a key.",
            context=name,
        )
    return Root(table.root.first, min(table.root.size, size - table.root.first), table.scheme == "mbr")


def require_smartos(editor: FatEditor, name: str) -> None:
    """Raise Refused `no-smartos` or `not-whole` unless kernel and boot archive are there."""
    missing = [path for path in (KERNEL, ARCHIVE) if not _file(editor, path)]
    if not missing:
        return
    if editor.find("platform") is None:
        raise Refused(
            "no-smartos",
            f"{name} holds a FAT file system but no SmartOS. Nothing was changed.",
            hint="Is it the right disk? `smartos-wizard key list` shows them all.",
            context=name,
        )
    raise Refused(
        "not-whole",
        f"The SmartOS on {name} is not whole: {missing[0]} is missing. Nothing was changed.",
        hint="Write the key anew with `smartos-wizard key write`.",
        context=name,
    )


def require_sound(volume: Volume) -> None:
    """Raise Refused `file-system-damaged` where the volume has any fault. Raises OSError."""
    problems = check_volume(pread_of(volume), 0, volume.size)
    if problems:
        raise damaged(problems[0].rstrip("."))


def pread_of(volume: Volume) -> Pread:
    """The volume as a reading function for any offset and length; less at its end."""

    def pread(offset: int, length: int) -> bytes:
        low = offset // SECTOR * SECTOR
        high = min(-(-(offset + length) // SECTOR) * SECTOR, volume.size // SECTOR * SECTOR)
        return volume.read(low, high - low)[offset - low : offset - low + length] if high > low else b""

    return pread


class Draft:
    """A volume over another one that keeps what is written to itself. `sectors` are by offset, 512 bytes each."""

    def __init__(self, below: Volume) -> None:
        self.below = below
        self.size = below.size
        self.sectors: dict[int, bytes] = {}

    def read(self, offset: int, length: int) -> bytes:
        """What would be there. Raises OSError."""
        data = self.below.read(offset, length)
        changed = [at for at in self.sectors if offset <= at < offset + length]
        if not changed:
            return data
        out = bytearray(data)
        for at in changed:
            out[at - offset : at - offset + SECTOR] = self.sectors[at]
        return bytes(out)

    def write(self, offset: int, data: bytes) -> None:
        """Keep it."""
        for at in range(0, len(data), SECTOR):
            self.sectors[offset + at] = data[at : at + SECTOR]

    def sync(self) -> None:
        """Nothing to do."""


def _file(editor: FatEditor, path: str) -> bool:
    entry = editor.find(path)
    return entry is not None and not entry.directory and entry.size > 0
