"""Through the login of a serial console, whatever it shows first; setup's questions and the loader are left alone."""

from __future__ import annotations

import time

from smartos_wizard.core.errors import NetworkFailed, PrivilegeFailed
from smartos_wizard.reinstall.console_reading import REFUSED, Reader, Seen, Stop, look

LOGIN_WAITS = 300.0
"""Seconds a machine that boots may take until it asks who logs in."""
RESCUE_PASSWORD = "root"
"""Root's password in the loader's Rescue Mode (smartos-live: boot/loader.conf, root_shadow)."""
_ANSWER = 60.0
"""Seconds login may take: it waits a while after a wrong password, and a busy machine is slow."""
_READY = (Seen.LOGIN, Seen.PASSWORD, Seen.SHELL)
_NOTHING = "nothing was changed there"


def let_in(reader: Reader, name: str, user: str, password: str, seconds: float, stop: Stop) -> bool:
    """Wait until somebody can log in, and do; False where a shell was open already.

    Raises NetworkFailed `console-at-setup`, `console-at-loader`, `console-silent`; PrivilegeFailed `login-refused`;
    DeviceLost, Cancelled.
    """
    seen = _ready(reader, name, seconds, stop)
    if seen is Seen.PASSWORD:  # of somebody who began and left
        reader.forget()
        reader.send(b"\r")
        reader.until(lambda: reader.seen is Seen.LOGIN, _ANSWER, stop)
        seen = reader.seen
    if seen is not Seen.LOGIN:
        return False
    reader.forget()
    reader.send(user.encode() + b"\r")
    reader.until(lambda: reader.seen in (Seen.PASSWORD, Seen.SHELL), _ANSWER, stop)
    if reader.seen is Seen.PASSWORD:
        reader.settle(2.0)  # login forgets what was typed before it stops to echo
        reader.forget()
        reader.send(password.encode() + b"\r")
        reader.until(lambda: reader.seen in (Seen.SHELL, Seen.LOGIN), _ANSWER, stop)
    reader.settle(10.0)
    if REFUSED.search(reader.text) or reader.seen in (Seen.LOGIN, Seen.PASSWORD):
        raise PrivilegeFailed(
            "login-refused", f"{user} was not let in on the console of {name}.",
            hint="Is the password right? In Rescue Mode it is root.", context=_NOTHING,
        )  # fmt: skip
    if reader.seen is Seen.SILENT:
        raise _silent(reader, name, Seen.SILENT)
    return True


def _ready(reader: Reader, name: str, seconds: float, stop: Stop) -> Seen:
    """What it shows once that is a login or a shell."""
    until = time.monotonic() + seconds
    seen = look(reader, min(5.0, seconds))
    while seen not in _READY:
        if seen is Seen.SETUP:
            raise NetworkFailed(
                "console-at-setup", f"SmartOS's setup asks its questions on the console of {name}; nobody can log in.",
                hint="Answer them there, or leave them with Ctrl-C.", context=_NOTHING,
            )  # fmt: skip
        if seen in (Seen.PROMPT, Seen.OPTIONS):
            raise NetworkFailed(
                "console-at-loader", f"{name} stands at its loader, and waits there.", context=_NOTHING,
                hint="Type boot at the loader's prompt, or press Enter in its menu, if it is to boot normally.",
            )  # fmt: skip
        left = until - time.monotonic()
        if left <= 0:
            raise _silent(reader, name, seen)
        seen = _next(reader, min(left, 30.0), stop)
    return seen


def _next(reader: Reader, seconds: float, stop: Stop) -> Seen:
    """What it shows when that has changed, or after so long."""
    before = reader.seen
    if reader.until(lambda: reader.seen is not before, seconds, stop):
        reader.settle()
        return reader.seen
    return look(reader, min(5.0, seconds), probe=before is not Seen.MENU)


def _silent(reader: Reader, name: str, seen: Seen) -> NetworkFailed:
    return NetworkFailed(
        "console-silent", f"Nobody asks who logs in on the console of {name}.",
        hint="Is this the console that SmartOS uses (os_console)?", context=f"it shows {seen}; last said: {reader.last}",
    )  # fmt: skip
