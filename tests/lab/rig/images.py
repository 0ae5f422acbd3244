"""Small images with a true GPT, made by sfdisk and not by the program under test."""

from __future__ import annotations

import gzip
import hashlib
import random
import subprocess
from dataclasses import dataclass
from pathlib import Path

MIB = 1 << 20
LAYOUT = """label: gpt
table-length: 9
first-lba: 34
start=2048, size=4096, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, name=loader
start=6144, size=2048, type=6A82CB45-1DD2-11B2-99A6-080020736631, name=boot
start=8192, type=6A85CF4D-1DD2-11B2-99A6-080020736631, name=root
"""


@dataclass(frozen=True, slots=True)
class Image:
    """An image file as it is given to the command, and the bytes a key must hold afterwards."""

    path: Path
    sha256: str
    raw: Path

    @property
    def size(self) -> int:
        """Bytes on the key."""
        return self.raw.stat().st_size

    def matches(self, backing: Path) -> bool:
        """Whether the backing file of a key begins with exactly this image."""
        with self.raw.open("rb") as wanted, backing.open("rb") as found:
            while chunk := wanted.read(MIB):
                if found.read(len(chunk)) != chunk:
                    return False
        return True


def build(directory: Path, name: str, size: int = 32 * MIB, seed: int = 1) -> Image:
    """A gzip file of a raw image: partition table, key version 2.0, and data half of which does not shrink."""
    raw = directory / f"{name}.img"
    noise = random.Random(seed)
    with raw.open("wb") as file:
        for _ in range(size // MIB):
            file.write(noise.randbytes(MIB // 2) + bytes(MIB // 4) + b"SmartOS " * (MIB // 32))
    with raw.open("r+b") as file:
        file.write(bytes(MIB))
        file.truncate(size)
    subprocess.run(["sfdisk", "-q", str(raw)], input=LAYOUT.encode(), check=True, capture_output=True)
    with raw.open("r+b") as file:
        file.seek(0xFA)
        file.write(bytes((2, 0)))
    packed = directory / f"{name}.img.gz"
    with packed.open("wb") as out:
        out.write(gzip.compress(raw.read_bytes(), 1, mtime=0))
    return Image(packed, hashlib.sha256(packed.read_bytes()).hexdigest(), raw)


def given(path: Path, raw: Path) -> Image:
    """An image file that was made by hand (damaged, say), with its true digest."""
    return Image(path, hashlib.sha256(path.read_bytes()).hexdigest(), raw)
