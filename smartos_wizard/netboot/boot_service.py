"""Keeps `privileged/wire.py` at work: who gives addresses on the wire, then dnsmasq, until it is closed.

Started directly by root, else by sudo or doas, which ask for a password once and only where somebody is there; a job,
which has no terminal, has somebody start it at another one.
"""

from __future__ import annotations

import contextlib
import importlib.resources
import json
import os
import queue
import shlex
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from smartos_wizard.core.errors import Cancelled, PrivilegeFailed, Refused, WizardError
from smartos_wizard.core.paths import user_paths
from smartos_wizard.media.elevation import attended, interpreter
from smartos_wizard.media.handover import Doorbell
from smartos_wizard.netboot.interface import Interface
from smartos_wizard.privileged import wire
from smartos_wizard.privileged.opener import peer_uid

PATIENCE = 15 * 60.0
"""Seconds for which somebody who is to give the rights is waited for."""
_QUIET = 20.0


@dataclass(frozen=True, slots=True)
class Other:
    """Another server on the wire: its address and card, whether it gives addresses, whether it boots machines too."""

    server: str
    mac: str
    gives_addresses: bool
    boots: bool
    file: str = ""


class Bell(Doorbell):
    """A private socket at which the privileged program calls."""

    def take(self) -> socket.socket:
        """The call. Raises PrivilegeFailed `wrong-caller`."""
        caller, _ = self._sock.accept()
        if peer_uid(caller) not in (0, os.getuid()):
            caller.close()
            raise PrivilegeFailed(
                "wrong-caller", "Another user called the private socket.", context=str(self.path)
            )
        return caller


class BootService:
    """The privileged program, started. Use as a context manager: on leaving it and dnsmasq are gone.

    Raises PrivilegeFailed `needs-root` where it could not be started.
    """

    def __init__(
        self, called: Callable[[str], None] | None = None, stopped: Callable[[], bool] = bool
    ) -> None:
        """Where nobody sits at this terminal and rights are not to be had without asking, `called` is told the one
        command that somebody has to run at another, and that is waited for until `stopped`."""
        self._copy: tempfile.TemporaryDirectory[str] | None = None
        self._lines: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._root = _root_words()
        self._program_words = [interpreter(), "-I", str(self._program())]
        self._said: list[str] = []
        self._caller: socket.socket | None = None
        self._start()
        if called is not None and self._root and not attended() and not self._is_there():
            self._end()
            self._lines = queue.Queue()
            self._called(called, stopped)

    def _start(self) -> None:
        self._process: subprocess.Popen[bytes] | None = subprocess.Popen(
            [*self._root, *self._program_words],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, close_fds=True,
        )  # fmt: skip
        assert self._process.stdin and self._process.stdout and self._process.stderr
        self._in: IO[bytes] = self._process.stdin
        out, errors = self._process.stdout, self._process.stderr
        self._streams: list[IO[bytes]] = [out, errors]
        self._run(lambda: self._read(out), lambda: self._read_errors(errors))

    def _run(self, *works: Callable[[], None]) -> None:
        self._threads = [threading.Thread(target=work, daemon=True) for work in works]
        for thread in self._threads:
            thread.start()

    def _is_there(self) -> bool:
        """Whether it could be started without asking anybody."""
        try:
            self._ask(do="hello")
            return bool(self._next(_QUIET)["event"] == "hello")
        except WizardError:
            return False

    def _called(self, called: Callable[[str], None], stopped: Callable[[], bool]) -> None:
        """Have somebody start it, and take its call. Raises PrivilegeFailed, Cancelled."""
        bell = Bell(user_paths().runtime)
        with bell:
            called(shlex.join([self._root[0], *self._program_words, str(bell.path)]))
            until = time.monotonic() + PATIENCE
            while not bell.rung(0.2):
                if stopped():
                    raise Cancelled(
                        "cancelled", "Stopped while waiting for root's rights; nothing was served."
                    )
                if time.monotonic() > until:
                    raise self._no_rights()
            self._caller = bell.take()
        self._process = None
        self._in = self._caller.makefile("wb")
        out = self._caller.makefile("rb")
        self._streams = [out]
        self._run(lambda: self._read(out))

    def others(self, interface: Interface, seconds: float) -> tuple[Other, ...]:
        """Who answers a machine's question on the wire within the time. Raises WizardError, PrivilegeFailed."""
        self._ask(do="probe", interface=interface.name, seconds=seconds)
        found = []
        while True:
            line = self._next(seconds + 120)
            if line["event"] == "server":
                found.append(
                    Other(line["server"], line["mac"], line["gives_addresses"], line["boots"], line["file"])
                )
            elif line["event"] == "probed":
                return tuple(found)
            elif line["event"] == "failed":
                raise WizardError(
                    "cannot-listen", f"{interface.name} cannot be listened on: {line.get('text')}."
                )

    def keep(self, asked: dict[str, Any]) -> None:
        """Start dnsmasq with what `wire.settings` makes of `asked`. Raises WizardError `dnsmasq-failed`, Refused."""
        self._ask(do="keep", **asked)
        line = self._next(30)
        if line["event"] != "started":
            raise WizardError(
                "dnsmasq-failed", f"dnsmasq was not started: {line.get('text') or line.get('reason')}."
            )

    def heard(self, seconds: float) -> dict[str, Any] | None:
        """The next line it says within the time; None where there is none. `ended` tells that dnsmasq ended."""
        try:
            return self._lines.get(timeout=seconds) or {"event": "ended", "code": None}
        except queue.Empty:
            return None

    def __enter__(self) -> BootService:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End it, and dnsmasq with it: its standard input closes, and that is its signal."""
        self._end()
        if self._copy is not None:
            self._copy.cleanup()

    def _end(self) -> None:
        with contextlib.suppress(OSError):
            self._in.close()
        if self._caller is not None:
            with contextlib.suppress(OSError):
                self._caller.shutdown(socket.SHUT_WR)
        if self._process is not None:
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(OSError):
                    self._process.kill()
                self._process.wait(5)
        for thread in self._threads:  # what they read ends when the program, and dnsmasq before it, is gone
            thread.join(10 if self._caller is not None else 2)
        for stream in self._streams:
            stream.close()
        if self._caller is not None:
            self._caller.close()

    def _program(self) -> Path:
        here = Path(wire.__file__)
        if here.is_file():
            return here.resolve()
        self._copy = tempfile.TemporaryDirectory(prefix="smartos-wizard-wire-")
        copy = Path(self._copy.name) / "wire.py"
        copy.write_bytes(
            importlib.resources.files("smartos_wizard.privileged").joinpath("wire.py").read_bytes()
        )
        return copy

    def _ask(self, **what: Any) -> None:
        try:
            self._in.write(json.dumps(what).encode() + b"\n")
            self._in.flush()
        except OSError as error:
            raise self._no_rights() from error

    def _next(self, seconds: float) -> dict[str, Any]:
        try:
            line = self._lines.get(timeout=seconds)
        except queue.Empty:
            raise WizardError("dnsmasq-failed", "The privileged program does not answer.") from None
        if line is None:
            raise self._no_rights()
        return line

    def _no_rights(self) -> PrivilegeFailed:
        said, tool = " ".join(self._said)[-300:], (self._root or ["sudo"])[0]
        return PrivilegeFailed(
            "needs-root", f"Telling machines where to boot from takes root's rights. {said}".strip(),
            hint=f"Give the command in a terminal, where {tool} can ask, or as root; or say --http-only.",
        )  # fmt: skip

    def _read(self, out: IO[bytes]) -> None:
        lines = self._lines
        with contextlib.suppress(OSError):
            for line in out:
                with contextlib.suppress(ValueError):
                    lines.put(json.loads(line))
        lines.put(None)

    def _read_errors(self, errors: IO[bytes]) -> None:
        for line in errors:
            self._said.append(line.decode(errors="replace").strip())


def _root_words() -> list[str]:
    """What makes the program root's: nothing for root. Raises PrivilegeFailed `needs-root` where nothing could."""
    if os.geteuid() == 0:
        return []
    prompt = "Password of %u, to tell machines on this network where to boot from: "
    if shutil.which("sudo"):
        return ["sudo", "-p", prompt, "--"] if attended() else ["sudo", "-n", "--"]
    if shutil.which("doas"):
        return ["doas", "--"] if attended() else ["doas", "-n", "--"]
    raise PrivilegeFailed(
        "needs-root", "Telling machines where to boot from takes root's rights, and there is no sudo here.",
        hint="Give the command as root, or say --http-only.",
    )  # fmt: skip


def refused_by(line: str) -> WizardError:
    """What dnsmasq's last complaint means."""
    if "Address already in use" in line:
        return Refused(
            "dhcp-port-in-use", "Another DHCP or TFTP server runs on this machine: dnsmasq found its port taken.",
            hint="Stop it for this evening, or put what --config-only writes into its configuration.", context=line,
        )  # fmt: skip
    return WizardError(
        "dnsmasq-failed", f"dnsmasq ended: {line or 'it did not say why'}", context=shlex.quote(line)
    )
