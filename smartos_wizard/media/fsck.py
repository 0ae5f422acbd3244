"""A second opinion on a FAT volume: the system's own fsck.vfat, given a copy of everything but file contents.

The copy is a sparse file, so no rights on the device are needed and no content of a key is copied. fsck.vfat
runs with -n, which changes nothing (dosfstools, fsck.fat(8)).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from smartos_wizard.core.text import tame
from smartos_wizard.media.fat_check import metadata_spans
from smartos_wizard.media.partitions import Pread

_NAMES = ("fsck.vfat", "fsck.fat")
_PLACES = ("/usr/sbin", "/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")  # not in the PATH of ordinary users
_SECONDS = 20
_STEP = 1 << 20
_HOLE = 4096
_ZEROS = bytes(_HOLE)
_MOST_LINES = 40
# What fsck.vfat says of a sound volume, what it calls harmless itself, and labels, which hold nothing together.
# Its exit code is no verdict: 0 after complaints about long names, 1 about labels (dosfstools 4.2, src/lfn.c
# and src/check.c).
_HARMLESS = re.compile(
    r"fsck\.fat \d.*|\d+ files?, \d+/\d+ clusters|Free cluster summary uninitialized.*"
    r"|There are differences between boot sector and its backup\.|This is mostly harmless\..*"
    r"|([, ]*\d+:[0-9a-f]{2}/[0-9a-f]{2})+,?|Not automatically fixing this\.|Leaving filesystem unchanged\."
    r"|(Label|Volume label|There is no label|Auto-removing label|Auto-copying volume label) .*"
)
_COUNT = re.compile(r"\d+ files?, \d+/\d+ clusters")


def fsck_available() -> bool:
    """Whether fsck.vfat is installed."""
    return _program() is not None


def run_fsck(pread: Pread, first: int, size: int) -> tuple[bool, str]:
    """Whether fsck.vfat finds nothing wrong with the volume of `size` bytes at byte `first`, and its words.

    (False, why) as well where it is not installed, cannot look or takes longer than 20 seconds. Raises OSError as
    the reading function does, or where there is no room for the copy (about twice the size of one table).
    """
    program = _program()
    if program is None:
        return False, "fsck.vfat is not installed."
    spans = metadata_spans(pread, first, size)
    if not spans:
        return False, "The boot sector or the file allocation table cannot be made sense of."
    with tempfile.TemporaryDirectory(prefix="smartos-wizard-") as directory:
        copy = Path(directory) / "volume"
        with copy.open("xb") as file:
            file.truncate(size)
            for offset, length in spans:
                _copy(pread, offset, length, file.fileno(), first)
        return _asked(program, copy)


def _program() -> str | None:
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), *_PLACES))
    return next((found for name in _NAMES if (found := shutil.which(name, path=path))), None)


def _copy(pread: Pread, offset: int, length: int, fd: int, first: int) -> None:
    """Blocks of zeros stay holes."""
    for at in range(offset, offset + length, _STEP):
        piece = memoryview(pread(at, min(_STEP, offset + length - at)))
        start = 0
        while start < len(piece):
            end = start
            while end < len(piece) and piece[end : end + _HOLE] != _ZEROS[: len(piece) - end]:
                end += _HOLE
            _write(fd, piece[start:end], at - first + start)
            start = end + _HOLE


def _write(fd: int, data: memoryview, offset: int) -> None:
    while data:
        done = os.pwrite(fd, data, offset)
        data, offset = data[done:], offset + done


def _asked(program: str, copy: Path) -> tuple[bool, str]:
    try:
        done = subprocess.run(
            [program, "-n", str(copy)], capture_output=True, timeout=_SECONDS, check=False,
            stdin=subprocess.DEVNULL, env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return False, f"fsck.vfat did not end within {_SECONDS} seconds."
    except OSError as error:
        return False, f"fsck.vfat cannot be run: {error.strerror}."
    words = (done.stdout + done.stderr).decode("utf-8", "replace").replace(f"{copy}: ", "")
    lines = [tame(line, 200) for line in words.replace(str(copy), "the volume").splitlines() if line.strip()]
    more = [f"and {len(lines) - _MOST_LINES} more lines"] if len(lines) > _MOST_LINES else []
    counted = done.returncode in (0, 1) and any(_COUNT.fullmatch(line) for line in lines)
    clean = counted and all(_HARMLESS.fullmatch(line) for line in lines)
    return clean, "\n".join(lines[:_MOST_LINES] + more)
