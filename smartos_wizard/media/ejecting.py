"""Makes a key safe to pull: everything flushed, then switched off where this machine can do that."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import subprocess
from pathlib import Path

from smartos_wizard.core.errors import DeviceLost, Refused

_TIMEOUT = 60.0


def eject(path: str) -> str:
    """Make `path` safe to pull; return what was done, in words.

    Raises DeviceLost `no-such-device`, Refused `mounted` while something of it is mounted. A machine on
    which nothing can switch it off is no error: what was written is on the medium once it is flushed.
    """
    node = Path(path)
    try:
        mode = node.stat().st_mode
    except OSError as error:
        raise DeviceLost("no-such-device", f"{path} is not there any more.", context=path) from error
    if stat.S_ISREG(mode):
        _flush(path)
        return f"{path} is a file and is safe on its disk; there is nothing to pull."
    mounted = _mounted(node)
    if mounted:
        raise Refused(
            "mounted", f"{path} is in use: {mounted} is mounted.", context=path,
            hint="Close what uses it and unmount it, then eject again.",
        )  # fmt: skip
    _flush(path)
    if shutil.which("udisksctl") and _ran("udisksctl", "power-off", "--no-user-interaction", "-b", path):
        return f"{path} is switched off; it can be pulled now."
    if shutil.which("eject") and _ran("eject", "--", path):
        return f"{path} is ejected; it can be pulled now."
    delete = Path("/sys/class/block") / node.name / "device" / "delete"
    if os.geteuid() == 0 and delete.exists():
        with contextlib.suppress(OSError):
            delete.write_text("1", encoding="ascii")
            return f"{path} is detached from the system; it can be pulled now."
    return f"Everything written to {path} is on it. When its light has stopped blinking, it can be pulled."


def _flush(path: str) -> None:
    """Write back what the system still holds of `path`: by itself where it opens, of everything otherwise."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        os.sync()
        return
    try:
        os.fsync(fd)
    except OSError as error:
        raise DeviceLost(
            "flush-failed", f"{path} did not take what was still to be written: {error.strerror}.", context=path,
            hint="Do not trust this key: write and prove it again.",
        ) from error  # fmt: skip
    finally:
        os.close(fd)


def _mounted(node: Path) -> str:
    """The first mounted device that is `node` or a partition of it; empty where there is none."""
    base = Path("/sys/class/block") / node.resolve().name
    numbers = set()
    for dev in (base / "dev", *base.glob("*/dev")):
        with contextlib.suppress(OSError):
            numbers.add(dev.read_text(encoding="ascii").strip())
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines():
        words = line.split(" ")
        if words[2] in numbers:
            return words[4]
    return ""


def _ran(*words: str) -> bool:
    try:
        return subprocess.run(words, check=False, capture_output=True, timeout=_TIMEOUT).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
