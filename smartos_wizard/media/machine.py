"""A throw-away computer in QEMU that starts from an open descriptor and cannot change what is behind it.

What it prints is read from its serial port and, where a BIOS writes text, from the memory of its screen.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import socket
import stat
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smartos_wizard.core.errors import WizardError

PROGRAM = "qemu-system-x86_64"
HINT = "Install it: `apt install qemu-system-x86` (Debian, Ubuntu), `dnf install qemu-system-x86` (Fedora)."
OVMF_HINT = "Install it: `apt install ovmf` (Debian, Ubuntu), `dnf install edk2-ovmf` (Fedora)."
_PAIRS = (
    ("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"),
    ("/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"),
    ("/usr/share/edk2/ovmf/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd"),
    ("/usr/share/edk2/x64/OVMF_CODE.4m.fd", "/usr/share/edk2/x64/OVMF_VARS.4m.fd"),
    ("/usr/share/edk2-ovmf/x64/OVMF_CODE.fd", "/usr/share/edk2-ovmf/x64/OVMF_VARS.fd"),
    ("/usr/share/qemu/ovmf-x86_64-code.bin", "/usr/share/qemu/ovmf-x86_64-vars.bin"),
)
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[()][A-Za-z0-9]|.)")
_SCREEN = (0xB8000, 80 * 25 * 2)  # text memory of a VGA screen: a letter and its colour, 25 lines of 80


@dataclass(frozen=True, slots=True)
class Firmware:
    """What the computer starts with: `name` for a person, `files` code and variables, none for the BIOS."""

    key: str
    name: str
    files: tuple[str, str] | None = None


def bios() -> Firmware:
    """QEMU's own BIOS."""
    return Firmware("bios", "BIOS")


def uefi() -> Firmware | None:
    """UEFI firmware for QEMU, looked for at the usual places; None where there is none."""
    for code, variables in _PAIRS:
        if Path(code).is_file() and Path(variables).is_file():
            return Firmware("uefi", "UEFI", (code, variables))
    return None


class Machine:
    """One start of the computer. Use as a context manager: it is stopped and forgotten at the end.

    Raises WizardError `qemu-missing`, or `qemu-failed` with what QEMU said.
    """

    def __init__(self, fd: int, firmware: Firmware) -> None:
        if shutil.which(PROGRAM) is None:
            raise WizardError("qemu-missing", f"Starting a key for a test needs {PROGRAM}.", hint=HINT)
        self._place = Path(tempfile.mkdtemp(prefix="smartos-wizard-boot-"))
        self._errors = (self._place / "errors").open("w+b")
        self._qmp: Qmp | None = None
        try:
            self._process = subprocess.Popen(
                self._words(fd, firmware), pass_fds=(fd,), stdin=subprocess.DEVNULL, stdout=self._errors,
                stderr=self._errors, env={**os.environ, "TMPDIR": str(self._place)}, start_new_session=True,
            )  # fmt: skip
        except BaseException:
            self._errors.close()
            shutil.rmtree(self._place, ignore_errors=True)
            raise

    def _words(self, fd: int, firmware: Firmware) -> list[str]:
        driver = "host_device" if stat.S_ISBLK(os.fstat(fd).st_mode) else "file"
        words = [
            PROGRAM, "-nodefaults", "-no-user-config", "-display", "none", "-machine", "q35,accel=tcg",
            "-m", "768", "-vga", "std", "-net", "none", "-no-reboot",
            "-chardev", f"file,id=serial,path={self._place}/serial", "-serial", "chardev:serial",
            "-qmp", f"unix:{self._place}/qmp,server=on,wait=off",
            "-add-fd", f"fd={fd},set=1",
            "-device", "qemu-xhci",
            "-drive", f"if=none,id=key,file.driver={driver},file.filename=/dev/fdset/1,format=raw,snapshot=on",
            "-device", "usb-storage,drive=key,bootindex=0",
        ]  # fmt: skip
        if firmware.files is not None:
            code, variables = firmware.files
            words += ["-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={code}"]
            words += ["-drive", f"if=pflash,format=raw,unit=1,snapshot=on,file={variables}"]
        return words

    def __enter__(self) -> Machine:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(5.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._qmp is not None:
            self._qmp.close()
        self._errors.close()
        shutil.rmtree(self._place, ignore_errors=True)

    def text(self) -> str:
        """All that it printed so far, without the codes that place it on the screen."""
        if self._process.poll() not in (None, 0):
            self._errors.seek(0)
            said = self._errors.read(2000).decode(errors="replace").strip()
            raise WizardError(
                "qemu-failed", f"QEMU did not start: {said}", hint="Is QEMU of version 6 or newer?"
            )
        serial = b""
        with contextlib.suppress(OSError):
            serial = (self._place / "serial").read_bytes()[-200_000:]
        return _ESCAPES.sub("", serial.decode("utf-8", "replace")).replace("\r", "\n") + "\n" + self._screen()

    @property
    def running(self) -> bool:
        """Whether it has not switched itself off."""
        return self._process.poll() is None

    def _screen(self) -> str:
        """The letters on a text screen; empty where it shows none."""
        picture = self._place / "screen"
        start, size = _SCREEN
        try:
            if self._qmp is None:
                self._qmp = Qmp(self._place / "qmp")
            self._qmp.ask("pmemsave", val=start, size=size, filename=str(picture))
            letters = picture.read_bytes()[::2].decode("cp437", "replace")
        except OSError:
            return ""
        return "\n".join(letters[i : i + 80].rstrip(" \0") for i in range(0, len(letters), 80))


class Qmp:
    """The few words of QEMU's machine protocol that are needed here. Raises OSError where it does not answer."""

    def __init__(self, path: Path, patience: float = 5.0) -> None:
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._sock.settimeout(patience)
        until = time.monotonic() + patience
        while True:
            try:
                self._sock.connect(str(path))
                break
            except OSError:
                if time.monotonic() > until:
                    self._sock.close()
                    raise
                time.sleep(0.05)
        self._lines = self._sock.makefile("rb")
        self._lines.readline()  # the greeting
        self.ask("qmp_capabilities")

    def ask(self, command: str, **arguments: Any) -> Any:
        """The answer to a command."""
        self._sock.sendall(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        for line in self._lines:
            answer = json.loads(line)
            if "error" in answer:
                raise OSError(str(answer["error"].get("desc")))
            if "return" in answer:
                return answer["return"]
        raise ConnectionResetError("QEMU is gone.")

    def close(self) -> None:
        """Hang up."""
        self._lines.close()
        self._sock.close()
