"""Wears a volume as its owner does for years: configured, upgraded, rolled back, filled, tidied, in any order.

A dictionary of what must be on it goes along. mtools and fsck.vfat judge, the program's own editor works.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from smartos_wizard.boot.key_files import files_for
from smartos_wizard.boot.model import BootChoices, Module
from smartos_wizard.core.errors import Refused
from smartos_wizard.media.device import open_file
from smartos_wizard.media.fat_edit import FatEditor
from smartos_wizard.media.file_changes import LARGEST, change_files
from smartos_wizard.media.volume import DeviceVolume
from tests.lab.rig import fatkey, fatreaders

NOW = 1_700_000_000.0
NAMES = (
    "notes.txt",
    "NOTES2.TXT",
    "a rather long name.json",
    "Größe ✓.md",
    "x.y.z",
    "run book (final).pdf",
    "猫",
)
PLATFORM = {
    "platform/i86pc/kernel/amd64/unix": b"old kernel" * 300,
    "platform/i86pc/amd64/boot_archive": b"old archive" * 9000,
    "platform/etc/version/platform": b"20200101T000000Z\n",
}
STOCK = PLATFORM | {
    "boot/loader.conf": b'console="text"\nloader_logo="smartos"\n' * 3,
    "boot/loader": b"L" * 5000,
    "etc/version/boot": b"20200101T000000Z\n",
}
Files = dict[str, bytes]


@contextmanager
def editing(image: Path) -> Iterator[FatEditor]:
    """An editor on a file, through the program's own device with direct I/O."""
    device = open_file(str(image), None, write=True)
    try:
        yield FatEditor(DeviceVolume(device, 0, device.size), now=NOW)
    finally:
        device.close()


def configure(editor: FatEditor, choices: BootChoices) -> Files:
    """Make the volume say `choices`; returns what changed, None as b"" is told by absence."""
    changes = files_for(choices, partial(editor.read, limit=LARGEST), legacy=False)
    change_files(editor, changes, "the volume")
    return {change.path: change.new for change in changes if change.new is not None} | {
        change.path: b"\0gone" for change in changes if change.new is None
    }


def upgrade(editor: FatEditor, new: Files) -> None:
    """A new platform beside the old one, and the switch; paths in `new` are below `platform`."""
    staged = {path: editor.stage(len(data), (data,)) for path, data in new.items()}
    tree = editor.tree(staged)
    editor.remove("previous/platform")
    editor.exchange("platform", tree, "previous/platform")
    editor.commit("platform")


def rollback(editor: FatEditor) -> None:
    """The kept platform and the present one change places."""
    editor.swap("platform", "previous/platform")
    editor.commit("platform")


class Worn:
    """One volume, its model, and the chance that decides what happens to it."""

    def __init__(self, image: Path, seed: int) -> None:
        self.image = fatkey.volume(image, STOCK)
        self.model: Files = dict(STOCK)
        self.chance = random.Random(seed)
        self.refused = 0
        self.done: list[str] = []

    def sequence(self) -> None:
        """Two to six things that happen."""
        self.done = []
        for _ in range(self.chance.randint(2, 6)):
            act = self.chance.choice(
                [
                    self.configures,
                    self.configures,
                    self.upgrades,
                    self.rolls_back,
                    self.adds,
                    self.tidies,
                    self.fills,
                ]
            )
            self.done.append(act.__name__)
            before = dict(self.model)
            try:
                act()
            except Refused as refused:
                assert refused.reference in ("no-space", "no-journal"), (self.done, refused)
                self.refused += 1
                self.model = before

    def judge(self) -> None:
        """Fail unless mtools finds the model, byte for byte, and fsck.vfat nothing."""
        fatreaders.fsck(self.image)
        found = {path: data for path, data in fatreaders.contents(self.image).items() if data is not None}
        assert found.keys() == self.model.keys(), (self.done, found.keys() ^ self.model.keys())
        wrong = [path for path, data in found.items() if data != self.model[path]]
        assert not wrong, (self.done, wrong)

    def configures(self) -> None:
        """Other choices each time, now and then none."""
        dice = self.chance
        choices = BootChoices()
        if dice.random() < 0.8:
            answers = {"hostname": f"host{dice.randrange(99)}"} if dice.random() < 0.5 else None
            choices = BootChoices(
                console=dice.choice(["", "text", "ttya", "ttyb"]),
                hostname=dice.choice(["", "fred", "a-longer-name"]),
                delay=dice.choice([None, 0, 30]),
                answers=answers,
                modules=(Module("etc/system", "boot/bootfs/etc/system", self._bytes(3000)),)
                if dice.random() < 0.4
                else (),
                files={
                    f"local/Ours {dice.randrange(5)} ü.bin": self._bytes(60_000)
                    for _ in range(dice.randrange(3))
                },
            )
        with editing(self.image) as editor:
            changed = configure(editor, choices)
        for path, data in changed.items():
            self.model.pop(path, None)
            if data != b"\0gone":
                self.model[path] = data

    def upgrades(self) -> None:
        """A platform of another size and other files."""
        new = {path.removeprefix("platform/"): self._bytes(400_000) for path in PLATFORM}
        new |= {
            f"new in this release/{n} of it.txt": self._bytes(900) for n in range(self.chance.randrange(4))
        }
        with editing(self.image) as editor:
            upgrade(editor, new)
        kept = {f"previous/{p}": d for p, d in self.model.items() if p.startswith("platform/")}
        rest = {p: d for p, d in self.model.items() if not p.startswith(("platform/", "previous/platform/"))}
        self.model = rest | kept | {f"platform/{path}": data for path, data in new.items()}

    def rolls_back(self) -> None:
        """Where there is something to go back to."""
        if not any(path.startswith("previous/platform/") for path in self.model):
            return
        with editing(self.image) as editor:
            rollback(editor)
        self.model = {_swapped(path): data for path, data in self.model.items()}

    def adds(self) -> None:
        """The owner's own files, by mtools: new ones and others in their place."""
        files = {}
        for _ in range(self.chance.randint(1, 5)):
            place = self.chance.choice(["", "mine/", "mine/deeper and deeper/", "private/"])
            files[place + self.chance.choice(NAMES)] = self._bytes(30_000)
        if sum(map(len, files.values())) + 100_000 < self.free():
            fatkey.put(self.image, files)
            self.model |= files

    def tidies(self) -> None:
        """The owner deletes some of them."""
        mine = sorted(p for p in self.model if p.rpartition("/")[2] in (*NAMES, "fill"))
        for path in self.chance.sample(mine, len(mine) // 2):
            fatkey.run("mdel", "-i", self.image, f"::/{path}")
            del self.model[path]

    def fills(self) -> None:
        """Rarely: hardly any room is left."""
        left = self.chance.choice([0, 3, 40, 500]) * 512
        if (
            self.chance.random() < 0.1
            and "fill" not in self.model
            and (size := self.free() - left - 4096) > 0
        ):
            self.model["fill"] = bytes([self.chance.randrange(1, 256)]) * size
            fatkey.put(self.image, {"fill": self.model["fill"]})

    def free(self) -> int:
        """Free bytes as mtools counts them."""
        words = fatkey.run("mdir", "-i", self.image, "::/").decode()
        return int("".join(c for c in words.strip().splitlines()[-1] if c.isdigit()))

    def _bytes(self, most: int) -> bytes:
        return self.chance.randbytes(self.chance.randrange(1, most))


def _swapped(path: str) -> str:
    for one, other in (("platform/", "previous/platform/"), ("previous/platform/", "platform/")):
        if path.startswith(one):
            return other + path.removeprefix(one)
    return path


def wear(space: str, seed: int, count: int) -> tuple[int, int]:
    """`count` sequences on one volume, judged after each; how many were judged, and how often it was refused."""
    worn = Worn(Path(space) / f"worn{seed}.img", seed)
    for _ in range(count):
        worn.sequence()
        worn.judge()
    worn.image.unlink()
    return count, worn.refused
