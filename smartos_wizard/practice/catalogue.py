"""The make-believe disks: what each claims to be, and what is wrong with it.

Facts only. They are judged by the same code as real disks, so nothing here says which may be written.
Makers and products are of the kind found in shops; serial numbers are invented. Sizes are bytes.
"""

from __future__ import annotations

from smartos_wizard.media.model import USB_IMAGE_SIZE, Disk, Mount, Partition, UsbFacts
from smartos_wizard.practice.keys import MB, Faults, PracticeDisk

MIB = 1 << 20
GIB = 1 << 30

FOLDER = "/practice/"
"""Where practice disks seem to be. No such directory exists, so a mistake finds nothing to open."""


def _usb(
    name: str, size: int, maker: str, product: str, serial: str, *, port: str, speed: float = 5000,
    vid: int = 0, pid: int = 0, version: str = "3.00", read_only: bool = False, sector: int = 512,
    partitions: tuple[Partition, ...] = (), mounts: tuple[Mount, ...] = (), holders: tuple[str, ...] = (),
) -> Disk:  # fmt: skip
    number = ord(name[-1]) - ord("a")
    return Disk(
        path=FOLDER + name,
        size=size,
        model=product,
        vendor=maker,
        serial=serial,
        transport="usb",
        removable=True,
        read_only=read_only,
        sector=sector,
        diskseq=100 + number,
        rdev=(8, 16 * number),
        partitions=partitions,
        mounts=mounts,
        holders=holders,
        usb=UsbFacts(maker, product, serial, version, speed, port, vid or None, pid or None),
    )


def _fixed(name: str, size: int, model: str, serial: str, **more: object) -> Disk:
    number = ord(name[-1]) - ord("a")
    facts: dict[str, object] = {
        "transport": "sata",
        "removable": False,
        "read_only": False,
        "sector": 512,
        "diskseq": 1 + number,
        "rdev": (8, 16 * number),
        **more,
    }
    return Disk(path=FOLDER + name, size=size, model=model, serial=serial, **facts)  # type: ignore[arg-type]


def _part(name: str, size: int, fstype: str, label: str = "", used: int | None = None) -> Partition:
    return Partition(FOLDER + name, size, fstype, label, used)


def _system() -> PracticeDisk:
    disk = _fixed(
        "sda",
        1_000_204_886_016,
        "Samsung SSD 860 EVO 1TB",
        "S4X6NF0M000017K",
        wwn="0x5002538e40a1c2d3",
        partitions=(
            _part("sda1", 512 * MIB, "vfat", "EFI", 6 * MIB),
            _part("sda2", GIB, "ext4", "boot", 310 * MIB),
            _part("sda3", 998 * GIB - 68 * GIB, "crypto_LUKS"),
        ),
        mounts=(
            Mount(FOLDER + "sda1", "/boot/efi", "vfat"),
            Mount(FOLDER + "sda2", "/boot", "ext4"),
            Mount("/dev/mapper/vg0-root", "/", "ext4"),
        ),
        holders=("LUKS mapping luks-vg0", "LVM volume group vg0"),
        system_use=("/ through LVM and LUKS", "swap through LVM and LUKS", "/boot", "/boot/efi"),
    )
    return PracticeDisk("sda", disk, "holds this system; never offered")


def _good() -> PracticeDisk:
    return PracticeDisk(
        "sdb",
        _usb(
            "sdb",
            30_752_636_928,
            "SanDisk",
            "Ultra USB 3.0",
            "4C530001090816110179",
            port="2-1",
            vid=0x0781,
            pid=0x5581,
            partitions=(_part("sdb1", 30_751_588_352, "vfat", "BACKUPS", 3_328_599_654),),
            mounts=(Mount(FOLDER + "sdb1", "/media/you/BACKUPS", "vfat"),),
        ),
        "a good key in a USB 3 port, full of somebody's backups",
    )


def _usb2() -> PracticeDisk:
    return PracticeDisk(
        "sdc",
        _usb(
            "sdc",
            7_748_222_976,
            "Kingston",
            "DataTraveler 3.0",
            "08606E6B64B8B1C0E0001D5A",
            port="1-3",
            speed=480,
            version="2.10",
            vid=0x0951,
            pid=0x1666,
            partitions=(_part("sdc1", 7_747_174_400, "vfat", "KINGSTON"),),
        ),
        "a good key in a USB 2 port",
        Faults(speed=160 * MB),
    )


def _small() -> PracticeDisk:
    return PracticeDisk(
        "sdd",
        _usb(
            "sdd",
            GIB,
            "Generic",
            "Flash Disk",
            "A1B2C3D4",
            port="1-4",
            speed=480,
            version="2.00",
            vid=0x058F,
            pid=0x6387,
        ),
        "too small",
    )


def _write_protected() -> PracticeDisk:
    return PracticeDisk(
        "sde",
        _usb(
            "sde",
            15_997_075_456,
            "Transcend",
            "JetFlash 780",
            "7A3F2E9916",
            port="2-2",
            read_only=True,
            vid=0x8564,
            pid=0x1000,
            partitions=(_part("sde1", 15_996_026_880, "vfat", "PHOTOS"),),
        ),
        "write-protected by the switch on its side",
        Faults(write_protected=True),
    )


def _slow() -> PracticeDisk:
    return PracticeDisk(
        "sdf",
        _usb(
            "sdf",
            8_053_063_680,
            "Intenso",
            "Basic Line",
            "1305200512340077",
            port="1-5",
            speed=480,
            version="2.00",
            vid=0x058F,
            pid=0x6366,
        ),
        "slow, and silent for some seconds on the way",
        Faults(speed=12 * MB, stall_at=192 * MIB, stall_seconds=5.0),
    )


def _pulled() -> PracticeDisk:
    return PracticeDisk(
        "sdg",
        _usb(
            "sdg",
            15_518_924_800,
            "Verbatim",
            "STORE N GO",
            "12090000000D4F21",
            port="2-3",
            vid=0x18A5,
            pid=0x0302,
        ),
        "loses contact at 60 % of the first writing, comes back some seconds later",
        Faults(unplug_at=USB_IMAGE_SIZE * 6 // 10),
    )


def _lying() -> PracticeDisk:
    return PracticeDisk(
        "sdh",
        _usb(
            "sdh",
            32 * GIB,
            "Generic",
            "USB3.0 FLASH DRIVE",
            "0000000000000FAE",
            port="2-4",
            vid=0xFFFF,
            pid=0x5678,
        ),
        "claims 32 GiB and has one: what is written beyond lands on what was written before",
        Faults(wraps_at=GIB),
    )


def _made_before(previous: str) -> PracticeDisk:
    return PracticeDisk(
        "sdi",
        _usb(
            "sdi",
            64_160_268_288,
            "Samsung",
            "Flash Drive FIT",
            "0373121060008812",
            port="2-5",
            vid=0x090C,
            pid=0x1000,
        ),
        "already holds the release before the newest",
        holds=previous,
        blank=True,
    )


def _inside() -> PracticeDisk:
    return PracticeDisk(
        "sdj",
        _fixed(
            "sdj",
            1_000_204_886_016,
            "WDC WD10EZEX-08WN4A0",
            "WD-WCC6Y0PRACTC",
            partitions=(_part("sdj1", 1_000_202_788_864, "ext4", "archive"),),
        ),
        "a disk inside the computer, not removable",
    )


def _large_sectors() -> PracticeDisk:
    return PracticeDisk(
        "sdk",
        _usb(
            "sdk",
            2_000_398_934_016,
            "WD",
            "Elements 25A2",
            "575845314143384B",
            port="2-6",
            sector=4096,
            vid=0x1058,
            pid=0x25A2,
        ),
        "has sectors of 4096 bytes",
    )


def _optical() -> PracticeDisk:
    return PracticeDisk(
        "sr0",
        Disk(
            FOLDER + "sr0",
            0,
            "DVDRAM GH24NSD1",
            "HL-DT-ST",
            "",
            transport="sata",
            kind="rom",
            removable=True,
            read_only=False,
            sector=2048,
            diskseq=40,
            rdev=(11, 0),
        ),
        "an optical drive without a disc",
    )


def practice_disks(previous: str) -> tuple[PracticeDisk, ...]:
    """Every practice disk; `previous` is the stamp of the release that one of the keys already holds."""
    return (
        _system(),
        _good(),
        _usb2(),
        _small(),
        _write_protected(),
        _slow(),
        _pulled(),
        _lying(),
        _made_before(previous),
        _inside(),
        _large_sectors(),
        _optical(),
    )
