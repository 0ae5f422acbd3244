"""Opens targets: directly where the rights are there, else by the opener through sudo, doas, pkexec or a person.

`SystemOpener` implements `ports.Opener`. The checks are the opener's own (`privileged/opener.py`), made here
too when no privilege is needed, and once more on every descriptor that was handed over.
"""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator

from smartos_wizard.core.cancel import Cancel
from smartos_wizard.core.errors import PrivilegeFailed
from smartos_wizard.core.paths import Paths
from smartos_wizard.media import ejecting, elevation
from smartos_wizard.media.device import FdDevice, open_file
from smartos_wizard.media.handed import HandedDevice
from smartos_wizard.media.handover import Doorbell, Helper, error_of
from smartos_wizard.media.model import Target
from smartos_wizard.media.ports import BlockDevice
from smartos_wizard.privileged import opener

Notify = Callable[[str, dict[str, str]], None]
PATIENCE = 15 * 60.0
"""Seconds to wait for a person: at a password prompt, or to run the command elsewhere."""
_QUIET = 20.0
_STOPPED = "Stopped while waiting for the right to open the disk; nothing has changed."
_NOT_ALLOWED = (
    "not in the sudoers",
    "not allowed to",
    "may not run sudo",
    "is not permitted",
    "not authorized",
)
_WRONG_PASSWORD = ("incorrect password", "no password was provided", "Authentication failed", "3 incorrect")


class SystemOpener:
    """Opens disks of this machine with as little privilege as will do, and regular files with none.

    `patience` is how long a person is waited for, in seconds; `give_up` ends such a wait from another thread.
    """

    def __init__(self, paths: Paths, *, patience: float = PATIENCE) -> None:
        self._paths = paths
        self._patience = patience
        self._cancel = Cancel()

    def open(self, target: Target, *, write: bool, notify: Notify) -> BlockDevice:
        """The opened device, proven to be `target.fingerprint`.

        Raises Refused (`identity-changed`, `system-disk`, `mounted`, `in-use`, `read-only`), DeviceLost
        `no-such-device`, PrivilegeFailed, Cancelled after `give_up`.
        """
        if target.regular_file:
            return open_file(target.path, target.fingerprint.size if write else None, write=write)
        device = _directly(target, write=write)
        if device is not None:
            return device
        with Doorbell(self._paths.runtime) as bell:
            fd, helper = self._ring(bell, target, write, notify)
        try:
            return _proven(fd, target, helper)
        except BaseException:
            helper.close()
            raise

    def eject(self, path: str) -> str:
        """Make `path` safe to pull; return what was done in words. Raises WizardError."""
        return ejecting.eject(path)

    def give_up(self) -> None:
        """End every wait for a person; `open` then raises Cancelled."""
        self._cancel.request()

    def _ring(self, bell: Doorbell, target: Target, write: bool, notify: Notify) -> tuple[int, Helper]:
        """Have the opener called, by whatever works, and take its call."""
        words = elevation.opener_words(bell.private, bell.path)
        for way in elevation.ways(attended=elevation.attended(), path=target.path):
            with _started((way.name, *way.words, *words), asks=way.asks) as process:
                seconds = self._patience if way.asks else _QUIET
                if self._called(bell, process.alive, seconds):
                    return bell.answer(target, write=write)
                said = process.said()
            if any(sign in said for sign in _WRONG_PASSWORD):
                raise _no_rights("password-refused", f"{way.name} did not accept the password.", bell, target)
            if way.asks and not any(sign in said for sign in _NOT_ALLOWED) and process.interrupted:
                raise _no_rights("privilege-declined", "No password was given.", bell, target)
        command = elevation.command_by_hand(bell.private, bell.path)
        text = f"Opening {target.path} takes root. In another terminal, run: {command}"
        notify("needs-opener", {"command": command, "path": target.path, "text": text})
        if self._called(bell, lambda: True, self._patience):
            return bell.answer(target, write=write)
        raise _no_rights(
            "no-privilege", f"Opening {target.path} takes root, and nobody gave it.", bell, target
        )

    def _called(self, bell: Doorbell, alive: Callable[[], bool], seconds: float) -> bool:
        """Wait for the call while `alive`; False where it did not come."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._cancel.check(_STOPPED)
            living = alive()
            if bell.rung(0.1):
                return True
            if not living:
                return False
        return False


class _Started:
    """A process that is to become the opener: whether it lives, and what it complained of."""

    def __init__(self, words: tuple[str, ...], *, asks: bool) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        self._process = subprocess.Popen(
            words, stdin=None if asks else subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self._errors,
            env={**os.environ, "LC_ALL": "C"},
        )  # fmt: skip

    def alive(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    @property
    def interrupted(self) -> bool:
        """Whether the person ended the prompt, or it ended by a signal."""
        return (self._process.returncode or 0) < 0 or self._process.returncode == 126

    def said(self) -> str:
        """What it wrote on standard error so far."""
        self._errors.seek(0)
        return self._errors.read(4096).decode(errors="replace")

    def close(self) -> None:
        """End it where it still waits for something; the opener itself has left it by now."""
        if self.alive():
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(2.0)
        if self.alive():
            with contextlib.suppress(OSError):
                self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(5.0)
        self._errors.close()


@contextlib.contextmanager
def _started(words: tuple[str, ...], *, asks: bool) -> Iterator[_Started]:
    process = _Started(words, asks=asks)
    try:
        yield process
    finally:
        process.close()


def _directly(target: Target, *, write: bool) -> BlockDevice | None:
    """The device opened with this process's own rights; None where they are too few."""
    try:
        fd = opener.open_disk(target.path, target.fingerprint.to_json(), target.unmount, write)
    except opener.No as no:
        cause = no.__cause__
        lacking = isinstance(cause, OSError) and cause.errno in (errno.EACCES, errno.EPERM)
        if os.geteuid() != 0 and (lacking or (no.reference == "mounted" and target.unmount)):
            return None
        raise error_of(no.reference, no.text, target.path) from no
    return _device(fd, target)


def _proven(fd: int, target: Target, helper: Helper) -> BlockDevice:
    """The handed descriptor as a device, once this process saw for itself what it is."""
    try:
        opener.check_identity(fd, {**target.fingerprint.to_json(), "path": target.path})
    except opener.No as no:
        os.close(fd)
        raise error_of(no.reference, no.text, target.path) from no
    except OSError as error:
        os.close(fd)
        raise error_of(
            "no-such-device", f"{target.path} went away: {error.strerror}.", target.path
        ) from error
    return HandedDevice(_device(fd, target), helper)


def _device(fd: int, target: Target) -> FdDevice:
    try:
        return FdDevice(fd, target.path, known=target.fingerprint)
    except BaseException:
        os.close(fd)
        raise


def _no_rights(reference: str, message: str, bell: Doorbell, target: Target) -> PrivilegeFailed:
    del bell  # its socket is gone by the time this is read, so a command naming it would help nobody
    return PrivilegeFailed(
        reference, f"{message} Nothing was written.", context=target.path,
        hint="Start again and give the password, or run smartos-wizard as a user who may use sudo, or as root.",
    )  # fmt: skip
