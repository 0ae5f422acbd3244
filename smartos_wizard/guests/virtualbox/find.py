"""Where the installers of VirtualBox put VBoxManage, and in what environment it is run.

Places: virtualbox.org, user manual, installation; the Debian and Fedora packages put it into PATH.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

NAME = "VBoxManage"
_MAC = "/Applications/VirtualBox.app/Contents/MacOS/VBoxManage"
_LINUX = ("/usr/lib/virtualbox/VBoxManage", "/opt/VirtualBox/VBoxManage", "/usr/local/bin/VBoxManage")
_WINDOWS = "Oracle\\VirtualBox\\VBoxManage.exe"
_WSL = "/mnt/{drive}/Program Files/Oracle/VirtualBox/VBoxManage.exe"


@dataclass(frozen=True, slots=True)
class Found:
    """VBoxManage. `beyond` is True where it is the one of Windows, seen from a Linux inside Windows (WSL)."""

    path: str
    beyond: bool = False


def find(
    system: str = sys.platform, environ: Mapping[str, str] | None = None,
    which: Callable[[str], str | None] = shutil.which, exists: Callable[[str], bool] | None = None,
) -> Found | None:  # fmt: skip
    """The VBoxManage of this machine: the one in PATH, else the first where an installer puts it; None without."""
    environ = os.environ if environ is None else environ
    exists = exists or (lambda path: Path(path).is_file())
    program = which(NAME)
    if program:
        return Found(program)
    for path in places(system, environ):
        if exists(path):
            return Found(path, beyond=system == "linux" and path.endswith(".exe"))
    return None


def places(system: str, environ: Mapping[str, str]) -> Iterator[str]:
    """The places that are looked at, in order, where it is not in PATH."""
    if system == "darwin":
        yield _MAC
    elif system == "win32":
        # The installer sets the first; either may hold several directories.
        for name in ("VBOX_MSI_INSTALL_PATH", "VBOX_INSTALL_PATH"):
            for place in filter(None, environ.get(name, "").split(";")):
                yield place.rstrip("\\") + "\\VBoxManage.exe"
        for name in ("ProgramFiles", "ProgramW6432"):
            if environ.get(name):
                yield f"{environ[name]}\\{_WINDOWS}"
    else:
        yield from _LINUX
        if is_wsl(environ):
            yield from (_WSL.format(drive=drive) for drive in "cd")


def is_wsl(environ: Mapping[str, str], release: str | None = None) -> bool:
    """Whether this is a Linux inside Windows."""
    return "WSL_DISTRO_NAME" in environ or "microsoft" in (release or platform.release()).lower()


def environment(system: str = sys.platform, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment VBoxManage is run in: messages in English, names in UTF-8.

    A plain LC_ALL=C would do the first, but then VBoxManage refuses every word that is not ASCII
    (`RTR3Init: VERR_NO_TRANSLATION`, seen with 7.2).
    """
    found = dict(os.environ if environ is None else environ)
    locale = "en_US.UTF-8" if system == "darwin" else "C.UTF-8"
    return found | {"LC_ALL": locale, "LANG": locale, "LANGUAGE": "C"}
