"""Runs in the lab guest, on the system's Python: writes files to a volume by the kernel's vfat, as an owner does.

Standard library only. Its one argument is JSON: the partition, path and text of each file, which of them to
take away again, and how it ends: `unmount`, `sync` (written, but never unmounted) or `nothing`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

POINT = Path("/run/lab-written")


def main() -> None:
    """Mount, write, and end as asked."""
    asked = json.loads(sys.argv[1])
    POINT.mkdir(exist_ok=True)
    options = "rw,utf8=1,shortname=winnt"
    subprocess.run(["mount", "-t", "vfat", "-o", options, asked["device"], str(POINT)], check=True)
    for path, text in asked["files"].items():
        (POINT / path).parent.mkdir(parents=True, exist_ok=True)
        (POINT / path).write_text(text)
    for path in asked.get("gone", []):
        (POINT / path).unlink()
    if asked["end"] == "unmount":
        subprocess.run(["umount", str(POINT)], check=True)
    elif asked["end"] == "sync":
        os.sync()


main()
