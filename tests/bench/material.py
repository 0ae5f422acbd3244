"""The image that is measured with: true size, true layout, 900 MB of real program files in it."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sysconfig
from dataclasses import dataclass
from pathlib import Path

PROGRAM_BYTES = 900_000_000
FIRST = 528384 * 512 + (64 << 20)  # inside the root partition, past the practice files


@dataclass(frozen=True)
class Material:
    """Paths of the image, raw and compressed, and the sha256 of the compressed file."""

    raw: Path
    packed: Path
    sha256: str
    size: int


def _program_files() -> list[Path]:
    roots = [
        Path("/usr/bin"),
        Path("/usr/lib"),
        Path(sysconfig.get_paths()["stdlib"]),
        Path("/usr/share"),
        Path("/opt"),
    ]
    found: list[Path] = []
    for root in roots:
        for directory, names, files in os.walk(root):
            names.sort()
            found += [Path(directory, name) for name in sorted(files)]
    return found


def lay_program_files(raw: Path, size: int, first: int = FIRST) -> int:
    """Lay real files one after another into `raw` from byte `first`, `size` bytes of them; return how many bytes."""
    done = 0
    with raw.open("r+b" if raw.exists() else "w+b") as image:
        image.seek(first)
        for path in _program_files():
            if path.is_symlink() or not path.is_file():
                continue
            try:
                data = path.read_bytes()[: size - done]
            except OSError:
                continue
            image.write(data)
            done += len(data)
            if done >= size:
                break
    return done


def prepare(where: Path) -> Material:
    """The image below `where`, made once (about two minutes) and kept."""
    from smartos_wizard.practice.image import build_usb_image

    where.mkdir(parents=True, exist_ok=True)
    raw, packed, mark = where / "bench.img", where / "bench.img.gz", where / "bench.sha256"
    if not mark.exists():
        build_usb_image(raw, "20260903T001557Z")
        done = lay_program_files(raw, PROGRAM_BYTES)
        if done < PROGRAM_BYTES * 0.9:
            raise SystemExit(f"only {done} bytes of program files on this machine")
        with packed.open("wb") as out:
            subprocess.run(["gzip", "-c", str(raw)], stdout=out, check=True)
        with packed.open("rb") as file:
            mark.write_text(hashlib.file_digest(file, "sha256").hexdigest())
    return Material(raw, packed, mark.read_text(), raw.stat().st_size)
