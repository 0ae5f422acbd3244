"""Volumes as a key that was pulled leaves them: every write of a change noted, and any first part of them replayed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from smartos_wizard.boot.model import BootChoices, Module
from smartos_wizard.media.fat_edit import FatEditor
from tests.lab.rig import fatkey, fatwear
from tests.unit.media.fat_rig import SECTOR, Memory

Log = list[tuple[int, bytes] | None]
_CONFIGURED = {
    "boot/loader.conf.local": b'# mine\nboot_verbose="YES"\n' * 30,
    "private/answers.json": b"{}" * 300,
    "mine/Größe ✓.md": b"of the owner" * 900,
}
_KEPT = {f"previous/{path}": b"older " + data[:4000] for path, data in fatwear.PLATFORM.items()}
_NEW = {
    "i86pc/kernel/amd64/unix": b"new kernel!" * 310,
    "i86pc/amd64/boot_archive": b"new archive." * 1100,
    "etc/version/platform": b"20250101T000000Z\n",
    "a file the old one had not.txt": b"x" * 700,
}


@dataclass(frozen=True, slots=True)
class Change:
    """A change that was made: the volume before, every write and sync of it in order, and the volume after."""

    name: str
    before: Memory
    log: Log
    after: Memory

    def cuts(self) -> Iterator[tuple[str, Memory]]:
        """The volume cut after every write: as written, and three times with some of the unsynced writes lost."""
        for writes in range(len(self.log) + 1):
            for draw in range(4):
                chance = random.Random(f"{self.name} {writes} {draw}") if draw else None
                yield f"{self.name} cut after {writes}, {draw}", self.before.after(self.log, writes, chance)


def changes(place: Path) -> Iterator[Change]:
    """A configure of a released and of a configured volume, an upgrade, the next upgrade, and a rollback."""
    choices = BootChoices(
        console="ttyb",
        hostname="fred",
        answers={"hostname": "fred"},
        modules=(Module("etc/system", "boot/bootfs/etc/system", b"set x=1\n" * 200),),
        files={f"local/a rather long name, number {n}.txt": b"%d" % n for n in range(20)},
    )
    released, configured = fatwear.STOCK, fatwear.STOCK | _CONFIGURED
    yield _made(place, "configure", released, lambda editor: fatwear.configure(editor, choices))
    yield _made(place, "configure again", configured, lambda editor: fatwear.configure(editor, choices))
    yield _made(place, "upgrade", configured, lambda editor: fatwear.upgrade(editor, _NEW))
    yield _made(place, "upgrade again", configured | _KEPT, lambda editor: fatwear.upgrade(editor, _NEW))
    yield _made(place, "rollback", configured | _KEPT, fatwear.rollback)


def _made(place: Path, name: str, files: dict[str, bytes], act: Callable[[FatEditor], object]) -> Change:
    before = read_in(fatkey.volume(place / "volume", files))
    after = before.copy()
    act(FatEditor(after, now=fatwear.NOW))
    return Change(name, before, after.log, after)


def read_in(path: Path) -> Memory:
    """The volume in a file, as sectors that are not empty."""
    data = path.read_bytes()
    sectors = {at: data[at : at + SECTOR] for at in range(0, len(data), SECTOR)}
    return Memory(len(data), {at: sector for at, sector in sectors.items() if any(sector)})


def write_out(volume: Memory, path: Path, at: int = 0) -> None:
    """The volume into a file, at byte `at`; what is empty stays a hole."""
    with path.open("r+b" if path.exists() else "wb") as file:
        file.truncate(max(at + volume.size, path.stat().st_size))
        for offset, sector in volume.sectors.items():
            if any(sector):
                file.seek(at + offset)
                file.write(sector)
