"""The nouns of the room: image, disk, target, withheld, and what a written key is known to hold.

Sizes and offsets are bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

USB_IMAGE_SIZE = 1_940_000_256
"""Size of the raw USB image since 2020-05 (smartos-live: tools/build_boot_image). Cross-check, not truth."""


class ImageKind(StrEnum):
    """What a file is, by its content."""

    GZIP = "gzip"
    BZIP2 = "bzip2"
    RAW = "raw"
    ISO = "iso"
    VMWARE = "vmware-bundle"
    PLATFORM = "platform-tarball"
    UNKNOWN = "unknown"


WRITABLE = (ImageKind.GZIP, ImageKind.BZIP2, ImageKind.RAW)


@dataclass(frozen=True, slots=True)
class VerifiedImage:
    """An image whose digest was checked against a published or given one.

    `algorithm` is sha256, md5, or `none` where the user said `--unverified`; `digest` is of the file as it
    lies on disk (compressed); `raw_size` is the size after decoding, where known before decoding;
    `vouched_by` says in words what the digest is of; `checked` is False where the file's bytes have not been
    compared with it yet: then the writer does that before it changes anything.
    """

    path: Path
    kind: ImageKind
    algorithm: str
    digest: str
    vouched_by: str
    stamp: str = ""
    source: str = ""
    raw_size: int | None = None
    checked: bool = True


@dataclass(frozen=True, slots=True)
class Mount:
    """Where something of a disk is mounted; `device` is the partition or mapping."""

    device: str
    point: str
    fstype: str = ""


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition as the system sees it. `used` is bytes in use, where a mounted file system tells."""

    path: str
    size: int
    fstype: str = ""
    label: str = ""
    used: int | None = None


@dataclass(frozen=True, slots=True)
class UsbFacts:
    """What the USB bus tells (pyusb or sysfs). `speed` is in megabits per second."""

    maker: str = ""
    product: str = ""
    serial: str = ""
    version: str = ""
    speed: float | None = None
    port: str = ""
    vid: int | None = None
    pid: int | None = None


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What makes a disk this disk: compared again on the opened descriptor before the first byte.

    `diskseq` is the kernel's serial number of the attachment (Linux 5.15+), `rdev` (major, minor);
    None and empty mean the system does not tell, and then the others must do.
    """

    path: str
    size: int
    sector: int = 512
    serial: str = ""
    wwn: str = ""
    model: str = ""
    diskseq: int | None = None
    rdev: tuple[int, int] | None = None

    def to_json(self) -> dict[str, Any]:
        """JSON object; `from_json` is the inverse."""
        return {
            "path": self.path,
            "size": self.size,
            "sector": self.sector,
            "serial": self.serial,
            "wwn": self.wwn,
            "model": self.model,
            "diskseq": self.diskseq,
            "rdev": list(self.rdev) if self.rdev else None,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Fingerprint:
        """The inverse of `to_json`."""
        rdev = data.get("rdev")
        return cls(**{**data, "rdev": (rdev[0], rdev[1]) if rdev else None})


@dataclass(frozen=True, slots=True)
class Disk:
    """Anything attached, with what could be read of it. None means: could not be read, so unknown.

    `holders` are sentences naming what uses it (“LVM volume group vg0”), `system_use` sentences naming
    what of the running system lies on it (“/ through LUKS and LVM”), `unknown` sentences naming what could
    not be read.
    """

    path: str
    size: int | None
    model: str = ""
    vendor: str = ""
    serial: str = ""
    wwn: str = ""
    transport: str = ""
    kind: str = "disk"
    removable: bool | None = None
    read_only: bool | None = None
    sector: int | None = None
    diskseq: int | None = None
    rdev: tuple[int, int] | None = None
    partitions: tuple[Partition, ...] = ()
    mounts: tuple[Mount, ...] = ()
    holders: tuple[str, ...] = ()
    system_use: tuple[str, ...] | None = ()
    usb: UsbFacts | None = None
    sysfs: str = ""
    unknown: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Vendor and model in one, as a person would call it; already tamed."""
        words = self.model if self.model.startswith(self.vendor) else f"{self.vendor} {self.model}"
        return words.strip() or "unnamed disk"

    @property
    def token(self) -> str:
        """What must be typed to confirm erasing it: the serial, the path where there is none."""
        return self.serial or self.path


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a disk is not offered: a stable name and a sentence."""

    reference: str
    text: str


@dataclass(frozen=True, slots=True)
class Target:
    """A disk, or a regular file, that may be written. Only `judge` and `file_target` make one."""

    disk: Disk
    fingerprint: Fingerprint
    regular_file: bool = False
    unmount: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """Its device node or file."""
        return self.fingerprint.path

    @property
    def token(self) -> str:
        """What must be typed to confirm erasing it."""
        return self.disk.token


@dataclass(frozen=True, slots=True)
class Withheld:
    """A disk that is not offered, with every reason."""

    disk: Disk
    reasons: tuple[Reason, ...]


Judged = Target | Withheld


@dataclass(frozen=True, slots=True)
class KeyContents:
    """What is on a key or image: which SmartOS, which console, which extra files, and what is wrong with it.

    `layout` is `gpt`, `mbr` (legacy GRUB key), `iso`, or empty where nothing was recognised. `previous` is the
    release that an upgrade kept (empty: none), `answers` the names that an answers file on it answers (None: there
    is no such file), `asks` what setup will stop for nevertheless; `unfinished`: a change of it was cut short.
    """

    layout: str = ""
    key_version: str = ""
    stamp: str = ""
    boot_stamp: str = ""
    console: str = ""
    settings: dict[str, str] = field(default_factory=dict)
    extra_files: tuple[str, ...] = ()
    partitions: tuple[dict[str, Any], ...] = ()
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    previous: str = ""
    answers: tuple[str, ...] | None = None
    asks: tuple[str, ...] = ()
    unfinished: bool = False
