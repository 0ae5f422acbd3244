"""Keeps the desktop from falling asleep in the middle of a write, where systemd-inhibit exists."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator


@contextlib.contextmanager
def stay_awake(why: str) -> Iterator[None]:
    """Hold sleep and idle off while the context is open. Never fails: without the tool nothing happens.

    The child holds the inhibition and ends by itself when this process does, since its input then closes.
    """
    child = _hold(why)
    try:
        yield
    finally:
        if child is not None:
            with contextlib.suppress(OSError):
                assert child.stdin is not None
                child.stdin.close()
            try:
                child.wait(2.0)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def _hold(why: str) -> subprocess.Popen[bytes] | None:
    tool = shutil.which("systemd-inhibit")
    if tool is None:
        return None
    words = (tool, "--what=sleep:idle", "--who=SmartOS Wizard", f"--why={why}", "--mode=block", "cat")
    try:
        return subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
    except OSError:
        return None
