"""Programs that may know more: lsblk and zpool. Their absence, slowness or nonsense only means knowing less."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

Ask = Callable[[list[str]], str | None]
"""Runs a command and returns what it printed; None where it failed in any way."""

_SECONDS = 5.0


def ask(command: list[str]) -> str | None:
    """Run `command`, wait at most five seconds."""
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=_SECONDS, check=False, stdin=subprocess.DEVNULL, text=True,
            errors="replace", env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"},
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired, ValueError):
        return None
    return done.stdout if done.returncode == 0 else None


def lsblk_facts(run: Ask) -> dict[str, dict[str, str]]:
    """File system type and label by device path, as lsblk sees them; empty where it cannot be asked."""
    text = run(["lsblk", "--json", "--list", "--output", "PATH,FSTYPE,LABEL"])
    try:
        rows = json.loads(text or "")["blockdevices"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    found: dict[str, dict[str, str]] = {}
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict) and isinstance(row.get("path"), str):
            found[row["path"]] = {k: _text(row, k) for k in ("fstype", "label")}
    return found


def _text(row: dict[str, Any], key: str) -> str:
    value = row.get(key)
    return value if isinstance(value, str) else ""


def pool_devices(run: Ask, pool: str) -> tuple[str, ...] | None:
    """Paths of the devices of an imported ZFS pool; None where zpool cannot be asked."""
    text = run(["zpool", "list", "-v", "-H", "-P", "-L", pool])
    if text is None:
        return None
    paths = [word for line in text.splitlines() for word in line.split("\t")[:3] if word.startswith("/")]
    return tuple(paths) or None
