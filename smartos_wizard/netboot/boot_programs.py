"""What has to be installed for serving: dnsmasq, and iPXE for machines whose firmware is not iPXE."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from smartos_wizard.core.errors import WizardError

PROGRAM = "dnsmasq"
LOADERS = ("/usr/lib/ipxe", "/usr/share/ipxe")
"""Where packages put iPXE (Debian: ipxe; others have it in /usr/share)."""
BIOS_LOADER = "undionly.kpxe"
UEFI_LOADERS = ("snponly.efi", "ipxe.efi")
_HINT = "Install it: `apt install dnsmasq-base` (Debian, Ubuntu), `dnf install dnsmasq` (Fedora)."
_PATH = "/usr/sbin:/sbin:/usr/local/sbin"


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
