"""Lays out /proc, /sys and /dev of a Linux machine from its facts, so that collectors can be let loose on it."""

from __future__ import annotations

from pathlib import Path

from smartos_wizard.boot.hardware import DiskFact, HardwareFacts

SERIAL = "S3R1ALNUMBER"
ADDRESS = "52:54:00:ab:cd:ef"
HOST = "h0stname-of-mine"


def lay_out(root: Path, facts: HardwareFacts) -> Path:
    """The tree of this machine below `root`, with a serial number, an address and a host name planted in it."""
    put(root / "proc/cpuinfo", cpuinfo(facts) * 2)
    put(root / "proc/meminfo", f"MemTotal:       {(facts.memory or 0) // 1024} kB\nMemFree: 1 kB\n")
    put(root / "etc/hostname", HOST)
    dmi = root / "sys/class/dmi/id"
    if facts.maker:
        put(dmi / "sys_vendor", facts.maker)
        put(dmi / "product_name", facts.product)
    for name in ("product_serial", "board_serial", "product_uuid", "chassis_asset_tag"):
        put(dmi / name, SERIAL)
    if facts.kvm:
        put(root / "dev/kvm", "")
    _firmware(root, facts)
    addresses = _pci(root, facts)
    _network(root, facts)
    (root / "sys/block").mkdir(parents=True, exist_ok=True)
    for number, disk in enumerate(facts.disks or ()):
        _disk(root, disk, addresses.get(disk.controller, ""), number)
    for name in ("loop0", "dm-0", "sr0"):
        put(root / f"sys/block/{name}/size", "2048")
    put(root / "sys/block/sr0/device/model", "DVD")
    return root


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n")


def cpuinfo(facts: HardwareFacts) -> str:
    if facts.cpu is None:
        return "processor\t: 0\nBogoMIPS\t: 108.00\nFeatures\t: fp asimd evtstrm crc32 cpuid\n\n"
    maker, family, model = facts.cpu
    flags = facts.flags or frozenset()
    own = " ".join(["fpu", "vme", *sorted(flags - {"ept", "unrestricted_guest"}), "clwb"])
    vmx = "vmx flags\t: vnmi " + " ".join(sorted(flags & {"ept", "unrestricted_guest"})) + " vpid\n"
    return (
        f"processor\t: 0\nvendor_id\t: {maker}\ncpu family\t: {family}\nmodel\t\t: {model}\n"
        f"model name\t: {facts.cpu_name}\nstepping\t: 1\nflags\t\t: {own}\n"
        f"{vmx if 'vmx' in flags else ''}bugs\t\t:\npower management:\n\n"
    )


def _firmware(root: Path, facts: HardwareFacts) -> None:
    (root / "sys/firmware").mkdir(parents=True, exist_ok=True)
    if facts.firmware != "uefi":
        return
    variables = root / "sys/firmware/efi/efivars"
    variables.mkdir(parents=True)
    (variables / "BootCurrent-8be4df61-93ca-11d2-aa0d-00e098032b8c").write_bytes(b"\6\0\0\0\0\0")
    name = "SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
    (variables / name).write_bytes(bytes([6, 0, 0, 0, bool(facts.secure_boot)]))


def _pci(root: Path, facts: HardwareFacts) -> dict[str, str]:
    """The devices, as links like the kernel's; where each of them stands."""
    where = {}
    (root / "sys/bus/pci/devices").mkdir(parents=True)
    for number, device in enumerate(facts.pci or ()):
        address = f"0000:{number:02x}:00.0"
        real = root / "sys/devices/pci0000:00" / address
        ids = zip(("vendor", "device"), device.ids.split(":"), strict=True)
        board = zip(("subsystem_vendor", "subsystem_device"), device.board.split(":"), strict=True)
        for name, value in [*ids, *board, ("class", device.kind)]:
            put(real / name, f"0x{value}")
        (root / "sys/bus/pci/devices" / address).symlink_to(real)
        where[device.ids] = str(real)
    hidden = root / "sys/bus/pci/devices/10000:e1:00.0"  # behind VMD
    for name, value in (("vendor", "0x144d"), ("device", "0xa808"), ("class", "0x010802")):
        put(hidden / name, value)
    return where


def _network(root: Path, facts: HardwareFacts) -> None:
    net = root / "sys/class/net"
    put(net / "lo/address", "00:00:00:00:00:00")
    put(net / "eth0/address", ADDRESS)
    for number, ids in enumerate(facts.usb_nics):
        device = root / f"sys/devices/pci0000:00/0000:00:14.0/usb2/2-{number}"
        vendor, product = ids.split(":")
        put(device / "idVendor", vendor)
        put(device / "idProduct", product)
        put(device / "serial", SERIAL)
        (device / "2-0:1.0").mkdir()
        put(net / f"enx{number}/address", ADDRESS)
        (net / f"enx{number}/device").symlink_to(device / "2-0:1.0")


def _disk(root: Path, disk: DiskFact, controller: str, number: int) -> None:
    above = controller or str(root / "sys/devices/virtual")
    if disk.place == "usb":
        above = str(root / "sys/devices/pci0000:00/0000:00:14.0/usb2/2-9/2-9:1.0")
    device = Path(above) / f"host{number}/{number}:0:0:0"
    block = device / "block" / disk.name
    put(block / "size", str(disk.size // 512))
    put(block / "removable", "1" if disk.place == "removable" else "0")
    put(block / "queue/logical_block_size", str(disk.logical))
    put(block / "queue/physical_block_size", str(disk.physical))
    put(block / "queue/rotational", "0" if disk.solid else "1")
    put(device / "serial", SERIAL)
    (block / "device").symlink_to(device)
    (root / "sys/block" / disk.name).symlink_to(block)
