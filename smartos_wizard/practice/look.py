"""What is on a practice key after somebody wrote it: its partitions, as a system would list them."""

from __future__ import annotations

from pathlib import Path

from smartos_wizard.media.model import Partition
from smartos_wizard.practice.keys import PracticeDisk


def partitions_of(practice: PracticeDisk, files: Path) -> tuple[Partition, ...]:
    """The partitions in the file of this practice disk; none where its table cannot be read."""
    from smartos_wizard.media.partitions import read_table

    path = files / f"{practice.name}.img"
    try:
        with path.open("rb", buffering=0) as file:

            def pread(offset: int, length: int) -> bytes:
                file.seek(offset)
                return file.read(length)

            return tuple(
                Partition(f"{practice.path}{entry.slot}", entry.size, *_system(pread(entry.first, 512)))
                for entry in read_table(pread, practice.disk.size or 0).entries
            )
    except OSError:
        pass
    return ()


def _system(boot: bytes) -> tuple[str, str]:
    """File system and label of a partition by its first sector."""
    if boot[82:90] == b"FAT32   ":
        return "vfat", boot[71:82].decode("ascii", "replace").strip()
    return "", ""
