"""The unprivileged end of the opener's socket: a private place to call, one request, one descriptor.

The other end is `privileged/opener.py`, whose framing and names are used here.
"""

from __future__ import annotations

import array
import contextlib
import os
import select
import shutil
import socket
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from smartos_wizard.core.errors import DeviceLost, PrivilegeFailed, Refused, WizardError
from smartos_wizard.media.model import Target
from smartos_wizard.privileged import opener

_LOST = ("no-such-device",)
_RIGHTS = ("open-failed", "bad-request", "wrong-caller")
_HINTS = {
    "identity-changed": "Pull everything you do not mean to write, list the disks again and choose anew.",
    "mounted": "Close what uses it and unmount it, then try again.",
    "in-use": "Stop what uses it, then try again.",
    "read-only": "Look for a write-protect switch on the key, or take another key.",
    "no-such-device": "Plug it in again, list the disks and choose anew.",
    "wrong-caller": "Run it as the user who runs smartos-wizard, by sudo, doas or pkexec.",
}


def error_of(reference: str, message: str, path: str) -> WizardError:
    """What the opener said no with, as an error of this program."""
    kind = DeviceLost if reference in _LOST else PrivilegeFailed if reference in _RIGHTS else Refused
    return kind(reference, message, hint=_HINTS.get(reference, ""), context=path)


def request_for(target: Target, *, write: bool) -> dict[str, Any]:
    """What the opener is asked for `target`."""
    return {
        "path": target.path,
        "fingerprint": target.fingerprint.to_json(),
        "unmount": list(target.unmount) if write else [],
        "mode": "write" if write else "read",
    }


@dataclass(slots=True)
class Helper:
    """An opener that handed its descriptor over and stays to do what takes root. Safe to use from threads."""

    sock: socket.socket
    lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, what: str, seconds: float = 60.0) -> None:
        """Have it do `flush` or `reread`. Raises OSError as the system call would, and where the opener is gone."""
        with self.lock:
            self.sock.settimeout(seconds)
            try:
                opener.send(self.sock, {"do": what})
                answer = opener.receive(self.sock)
            except opener.No as no:
                raise OSError(no.text) from no
        if answer is None:
            raise ConnectionResetError("The opener is gone.")
        if not answer.get("ok"):
            raise OSError(int(answer.get("errno") or 5), str(answer.get("message", "refused")))

    def close(self) -> None:
        """Let the opener end."""
        self.sock.close()


class Doorbell:
    """A socket in a directory only this user can enter, where the opener calls. Use as a context manager."""

    def __init__(self, runtime: Path) -> None:
        self.private = _private_place(runtime)
        self.path = self.private / "opener"
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._sock.bind(str(self.path))
        self.path.chmod(0o600)
        self._sock.listen(1)

    def __enter__(self) -> Doorbell:
        return self

    def __exit__(self, *_: object) -> None:
        self._sock.close()
        shutil.rmtree(self.private, ignore_errors=True)

    def rung(self, seconds: float) -> bool:
        """Wait up to `seconds` for a call."""
        return bool(select.select([self._sock], [], [], seconds)[0])

    def answer(self, target: Target, *, write: bool, seconds: float = 130.0) -> tuple[int, Helper]:
        """Take the call: the open descriptor and who serves it. Raises what `error_of` makes of a no."""
        sock, _ = self._sock.accept()
        try:
            sock.settimeout(seconds)
            if opener.peer_uid(sock) not in (0, os.getuid()):
                raise PrivilegeFailed(
                    "wrong-caller", "Another user called the private socket.", context=str(self.path)
                )
            opener.send(sock, request_for(target, write=write))
            return _descriptor(sock, target.path), Helper(sock)
        except BaseException as error:
            sock.close()
            if isinstance(error, OSError):
                raise _broken(target.path, str(error)) from error
            raise


def _descriptor(sock: socket.socket, path: str) -> int:
    """The answer to the request: a descriptor, or the reason why there is none."""
    room = socket.CMSG_SPACE(array.array("i").itemsize)
    first, extra, _, _ = sock.recvmsg(4, room, socket.MSG_WAITALL | socket.MSG_CMSG_CLOEXEC)
    fds = array.array("i")
    for level, kind, data in extra:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            fds.frombytes(data[: len(data) - len(data) % fds.itemsize])
    try:
        answer = opener.receive(sock, first)
        if answer is None:
            raise _broken(path, "It ended without an answer.")
        if not answer.get("ok"):
            raise error_of(str(answer.get("reference", "")), str(answer.get("message", "")), path)
        if len(fds) != 1:
            raise _broken(path, "No descriptor came with the answer.")
    except BaseException as error:
        for fd in fds:
            os.close(fd)
        if isinstance(error, opener.No):
            raise _broken(path, error.text) from error
        raise
    return fds[0]


def _broken(path: str, why: str) -> PrivilegeFailed:
    return PrivilegeFailed(
        "opener-failed", f"The opener did not do its work. {why} Nothing was written.", context=path,
        hint="Try again; where it goes on, run smartos-wizard with --log-file FILE and report it.",
    )  # fmt: skip


def _private_place(runtime: Path) -> Path:
    """A new directory for this user alone, short enough for the name of a socket (107 bytes)."""
    with contextlib.suppress(OSError):
        runtime.mkdir(parents=True, exist_ok=True, mode=0o700)
        if len(os.fsencode(runtime)) < 70:
            return Path(tempfile.mkdtemp(prefix="open-", dir=runtime))
    return Path(tempfile.mkdtemp(prefix="smartos-wizard-", dir="/tmp"))
