"""Keeps `privileged/wire.py` at work: who gives addresses on the wire, then dnsmasq, until it is closed.

Started directly by root, else by sudo or doas, which ask for a password once and only where somebody is there.
"""

from __future__ import annotations

import contextlib
import importlib.resources
import json
import os
import queue
import shlex
import shutil
import subprocess
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smartos_wizard.core.errors import PrivilegeFailed, Refused, WizardError
from smartos_wizard.media.elevation import attended, interpreter
from smartos_wizard.netboot.interface import Interface
from smartos_wizard.privileged import wire

PROGRAM = "dnsmasq"
LOADERS = ("/usr/lib/ipxe", "/usr/share/ipxe")
"""Where packages put iPXE (Debian: ipxe; others have it in /usr/share)."""
BIOS_LOADER = "undionly.kpxe"
UEFI_LOADERS = ("snponly.efi", "ipxe.efi")
_HINT = "Install it: `apt install dnsmasq-base` (Debian, Ubuntu), `dnf install dnsmasq` (Fedora)."
_PATH = "/usr/sbin:/sbin:/usr/local/sbin"


@dataclass(frozen=True, slots=True)
class Other:
    """Another server on the wire: its address and card, whether it gives addresses, whether it boots machines too."""

    server: str
    mac: str
    gives_addresses: bool
    boots: bool
    file: str = ""


@dataclass(frozen=True, slots=True)
class Loader:
    """The directory that is served by TFTP, and the names of iPXE in it; `uefi` is empty where there is none."""

    folder: str
    bios: str
    uefi: str


def find_dnsmasq() -> str:
    """The program. Raises WizardError `no-dnsmasq`."""
    found = shutil.which(PROGRAM, path=f"{os.environ.get('PATH', '')}:{_PATH}")
    if found is None:
        raise WizardError("no-dnsmasq", "There is no dnsmasq here, which tells machines where to boot from.", hint=f"{_HINT} Or say --http-only where another server does that.")  # fmt: skip
    return os.path.realpath(found)


def find_loader(given: str = "") -> Loader:
    """iPXE for machines whose firmware is not iPXE already. Raises WizardError `no-loader`."""
    if given:
        path = Path(given).absolute()
        if not path.is_file():
            raise WizardError(
                "no-loader",
                f"There is no file {path}.",
                hint="Give undionly.kpxe of an iPXE.",
                context=str(path),
            )
        return Loader(str(path.parent), path.name, "")
    for folder in map(Path, LOADERS):
        if (folder / BIOS_LOADER).is_file():
            uefi = next((name for name in UEFI_LOADERS if (folder / name).is_file()), "")
            return Loader(str(folder), BIOS_LOADER, uefi)
    raise WizardError(
        "no-loader", f"There is no {BIOS_LOADER} here, which machines are given to begin with.",
        hint="Install it: `apt install ipxe` (Debian, Ubuntu), `dnf install ipxe-bootimgs-x86` (Fedora). Or say --loader FILE.",
    )  # fmt: skip


class BootService:
    """The privileged program, started. Use as a context manager: on leaving it and dnsmasq are gone.

    Raises PrivilegeFailed `needs-root` where it could not be started.
    """

    def __init__(self) -> None:
        self._copy: tempfile.TemporaryDirectory[str] | None = None
        self._lines: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._words = [*_root_words(), interpreter(), "-I", str(self._program())]
        self._process = subprocess.Popen(
            self._words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, close_fds=True
        )  # fmt: skip
        self._said: list[str] = []
        self._threads = [
            threading.Thread(target=work, daemon=True) for work in (self._read, self._read_errors)
        ]
        for thread in self._threads:
            thread.start()

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
        with contextlib.suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(OSError):
                self._process.kill()
            self._process.wait(5)
        for thread in self._threads:
            thread.join(2)
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()
        if self._copy is not None:
            self._copy.cleanup()

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
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(what).encode() + b"\n")
            self._process.stdin.flush()
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
        said = " ".join(self._said)[-300:]
        return PrivilegeFailed(
            "needs-root", f"Telling machines where to boot from takes root's rights. {said}".strip(),
            hint=f"Give the command in a terminal, where {self._words[0]} can ask, or as root; or say --http-only.",
        )  # fmt: skip

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with contextlib.suppress(ValueError):
                self._lines.put(json.loads(line))
        self._lines.put(None)

    def _read_errors(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
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
