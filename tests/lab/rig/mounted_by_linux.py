"""Runs in the lab guest, on the system's Python: mounts volumes by the kernel's vfat and tells what they hold.

Standard library only. Its one argument is JSON: the disk, the bytes at which volumes begin, and their size.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

POINT = Path("/run/lab-volume")


def tree() -> dict[str, tuple[int, str] | None]:
    """Path to size and SHA-256, None for a directory."""
    found: dict[str, tuple[int, str] | None] = {}
    for path in POINT.rglob("*"):
        data = None if path.is_dir() else path.read_bytes()
        told = None if data is None else (len(data), hashlib.sha256(data).hexdigest())
        if told is not None and path.stat().st_size != told[0]:
            raise SystemExit(f"{path} says it has {path.stat().st_size} bytes, but {told[0]} came")
        found[str(path.relative_to(POINT))] = told
    return found


def main() -> None:
    """Mount, read, unmount, one after the other."""
    asked = json.loads(sys.argv[1])
    POINT.mkdir(exist_ok=True)
    answers = []
    for place in asked["places"]:
        options = f"ro,utf8=1,loop,offset={place},sizelimit={asked['size']}"
        done = subprocess.run(
            ["mount", "-t", "vfat", "-o", options, asked["device"], str(POINT)],
            capture_output=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"the volume at byte {place} is not mounted: {done.stderr.decode()}")
        answers.append(tree())
        subprocess.run(["umount", str(POINT)], check=True)
    print(json.dumps(answers))


main()
