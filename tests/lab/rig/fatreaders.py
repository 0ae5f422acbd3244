"""Three readers of FAT volumes that share no code: mtools, Linux's own vfat, and fsck.vfat for what holds it together.

A tree is a dictionary: the path of each file with its size and SHA-256, of each directory with None.
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from smartos_wizard.media.fat import FatVolume
from smartos_wizard.media.fsck import run_fsck
from smartos_wizard.media.partitions import Pread
from tests.lab.rig.fatkey import VOLUME, run
from tests.lab.rig.guest import Guest

Tree = dict[str, tuple[int, str] | None]
_LINUX = Path(__file__).with_name("mounted_by_linux.py")
_SOUND = re.compile(r"fsck\.fat \d[^\n]*\n[^\n]*: \d+ files, \d+/\d+ clusters\n\Z")


def entry(content: bytes) -> tuple[int, str]:
    """How a tree tells a content."""
    return len(content), hashlib.sha256(content).hexdigest()


def by_mtools(image: Path, at: int = 0) -> Tree:
    """What mcopy copies out of the volume at byte `at`."""
    return {path: None if data is None else entry(data) for path, data in contents(image, at).items()}


def contents(image: Path, at: int = 0) -> dict[str, bytes | None]:
    """The same, with the bytes themselves."""
    with tempfile.TemporaryDirectory(dir=image.parent) as place:
        run("mcopy", "-s", "-n", "-Q", "-i", f"{image}@@{at}", "::/", place)
        found: dict[str, bytes | None] = {}
        for path in Path(place).rglob("*"):
            found[str(path.relative_to(place))] = None if path.is_dir() else path.read_bytes()
        return found


def by_the_program(image: Path, at: int = 0, size: int = VOLUME) -> Tree:
    """What the program's own reader finds."""
    with image.open("rb") as file:
        fat = FatVolume(_reading(file), at, size)
        return {f.path: None if f.directory else entry(b"".join(fat.chunks(f))) for f in fat.files()}


def by_linux(guest: Guest, device: str, places: Sequence[int], size: int = VOLUME) -> list[Tree]:
    """What the guest's kernel shows of the volumes at these bytes of its disk, mounted read-only one by one."""
    asked = json.dumps({"device": device, "places": list(places), "size": size})
    done = guest.run("/usr/bin/python3", "-I", str(_LINUX), asked, seconds=240)
    assert done.code == 0, done.told()
    answers: list[dict[str, Any]] = done.document
    return [tree_of(answer) for answer in answers]


def tree_of(answer: Mapping[str, Any]) -> Tree:
    """A tree out of JSON."""
    return {path: None if found is None else (int(found[0]), str(found[1])) for path, found in answer.items()}


def fsck(image: Path) -> None:
    """Fail unless fsck.vfat says of the file that is one volume: so many files, so many clusters, and not a word more."""
    words = run("fsck.vfat", "-n", image).decode()
    assert _SOUND.match(words), words


def fsck_at(image: Path, at: int, size: int = VOLUME) -> None:
    """The same of a volume inside an image, of which fsck.vfat gets a copy without the contents of files."""
    with image.open("rb") as file:
        clean, words = run_fsck(_reading(file), at, size)
    assert clean, words
    assert len(words.splitlines()) == 2, words


def _reading(file: BinaryIO) -> Pread:
    def pread(offset: int, length: int) -> bytes:
        file.seek(offset)
        return file.read(length)

    return pread
