"""Images that guests are made from: a small one, and one of true size with real program files, raw and compressed.

Their first sector prints a line on the serial port, which stands for the first byte SmartOS would print.
"""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.bench.material import lay_program_files

MIB = 1 << 20
STAMP = "20260903T001557Z"
SAYS = b"SmartOS (build: BENCH)\r\n"
_TRUE_ROOT = 528384 * 512
_SMALL, _SMALL_ROOT = 64 * MIB, 8192 * 512
_GPT = f"""label: gpt
table-length: 9
first-lba: 34
start=2048, size=4096, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, name=loader
start=6144, size=2048, type=6A82CB45-1DD2-11B2-99A6-080020736631, name=boot
start=8192, size={(_SMALL - _SMALL_ROOT - MIB) // 512}, type=6A85CF4D-1DD2-11B2-99A6-080020736631, name=root
"""


@dataclass(frozen=True)
class KeyImage:
    """An image as it lies, with its sha256; where its FAT volume begins; what its decoded form takes on the disk."""

    label: str
    path: Path
    sha256: str
    root: int
    taken: int

    @property
    def small(self) -> bool:
        """Whether it is the one of 64 MiB."""
        return self.root == _SMALL_ROOT


def key_images(where: Path) -> list[KeyImage]:
    """Four images below `where`, made once (a minute) and kept."""
    where.mkdir(parents=True, exist_ok=True)
    found = []
    for label, raw, root in (
        ("64 MiB", where / "guest-small.img", _SMALL_ROOT),
        ("1.9 GB, 512 MiB of it used", where / "guest-true.img", _TRUE_ROOT),
    ):
        packed = raw.with_name(f"{raw.name}.gz")
        if not packed.with_suffix(".whole").exists():
            (_small if root == _SMALL_ROOT else _true)(raw)
            with packed.open("wb") as out:
                subprocess.run(["gzip", "-c", str(raw)], stdout=out, check=True)
            packed.with_suffix(".whole").touch()
        taken = raw.stat().st_blocks * 512
        for path, form in ((raw, "raw"), (packed, "gz")):
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            found.append(KeyImage(f"{label}, {form}", path, digest, root, taken))
    return found


def _true(raw: Path) -> None:
    from smartos_wizard.practice.boot_stub import boot_code
    from smartos_wizard.practice.image import build_usb_image

    build_usb_image(raw, STAMP, boot_archive_size=MIB, boot_code=boot_code(SAYS))
    lay_program_files(raw, 509 * MIB)


def _small(raw: Path) -> None:
    from smartos_wizard.practice.boot_stub import boot_code
    from smartos_wizard.practice.release_files import key_files
    from tests.lab.rig import fatkey

    with raw.open("wb") as file:
        file.truncate(_SMALL)
    fatkey.run("sfdisk", "-q", raw, data=_GPT.encode())
    with raw.open("r+b") as file:
        file.write(boot_code(SAYS))
    size = (_SMALL - _SMALL_ROOT - MIB) // 1024
    fatkey.run("mkfs.fat", "-F", 32, "-s", 1, "-n", "SMARTOSBOOT", "--offset", _SMALL_ROOT // 512, raw, size)
    programs = raw.with_suffix(".programs")
    lay_program_files(programs, 40 * MIB, 0)
    files = {"platform/i86pc/kernel/amd64/unix": programs.read_bytes()}
    programs.unlink()
    fatkey.put(raw, key_files(STAMP, MIB, 1) | files, _SMALL_ROOT)
