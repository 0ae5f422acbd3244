"""Reads how a Linux starts: firmware, Secure Boot, where /boot lies, which GRUB. Reads files only and changes nothing.

Facts: proc(5) mountinfo; sysfs and udev as `media/disks` reads them; UEFI specification (the variable SecureBoot);
GRUB manual (/etc/default/grub, grub-mkconfig); systemd-boot, loader.conf(5).
"""

from __future__ import annotations

import re

from smartos_wizard.core.errors import WizardError
from smartos_wizard.core.text import size, tame
from smartos_wizard.media.disks.hardware import read_udev
from smartos_wizard.media.disks.linux import LinuxDisks
from smartos_wizard.media.disks.mounts import MountLine, mount_at, read_mounts, unescape
from smartos_wizard.media.disks.nodes import Node, read_nodes
from smartos_wizard.media.disks.reader import Reader, words
from smartos_wizard.media.disks.stack import Reach, Stack
from smartos_wizard.media.model import Disk
from smartos_wizard.netboot.dualboot_model import HOMES, RECORD, SCRIPT, FatPartition, Setup, Volume
from smartos_wizard.netboot.dualboot_ports import Linux

_SECURE_BOOT = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
_GRUBS = (
    ("/boot/grub2", "grub2-mkconfig", "grub2-script-check"),
    ("/boot/grub", "grub-mkconfig", "grub-script-check"),
)
_LOADERS = (
    ("systemd-boot", ("/boot/efi/loader/loader.conf", "/efi/loader/loader.conf", "/boot/loader/loader.conf")),
    ("extlinux", ("/boot/extlinux/extlinux.conf", "/boot/extlinux.conf", "/boot/syslinux/syslinux.cfg")),
    ("LILO", ("/etc/lilo.conf",)),
    ("rEFInd", ("/boot/efi/EFI/refind/refind.conf", "/boot/refind_linux.conf")),
)
_LARGE_ENOUGH = 8 << 30
"""Disks below that are not named as possible places for a pool; a rule of this program."""


def read_setup(linux: Linux) -> Setup:
    """How that Linux starts. What cannot be read is None there; nothing is raised for it."""
    reader = linux.reader
    mounts = read_mounts(reader) or ()
    try:
        nodes = read_nodes(reader)
    except WizardError:
        nodes = {}
    uefi = _there(reader, "/sys/firmware/efi") is not False
    stack = Stack(reader, nodes, mounts, lambda _pool: Reach(complete=False))
    roots = _roots(words(reader, "/proc/self/mountinfo"))
    grub_dir, generator, checker = _grub(linux)
    default = _shell(words(reader, "/etc/default/grub"))
    return Setup(
        hostname=linux.hostname,
        system=_system(linux),
        arch=linux.arch,
        kernel=linux.kernel,
        firmware="uefi" if uefi else "bios",
        secure_boot=_secure_boot(reader) if uefi else False,
        volumes=tuple(_volume(linux, stack, roots, home) for home in HOMES),
        grub_dir=grub_dir,
        generator=generator,
        checker=checker,
        by_hand=_by_hand(linux, grub_dir, generator),
        loader="" if grub_dir else _other_loader(reader),
        bls=default.get("GRUB_ENABLE_BLSCFG") == "true" or bool(_conf_files(reader, "/boot/loader/entries")),
        multiboot=_multiboot(reader, grub_dir),
        menu_hidden=default.get("GRUB_TIMEOUT") == "0" or default.get("GRUB_TIMEOUT_STYLE") in ("hidden", "countdown"),
        unused=_unused(reader),
        pools=_zfs(nodes, reader),
        installed=_installed(reader),
        fats=_fats(nodes, reader, stack),
    )  # fmt: skip


def _system(linux: Linux) -> str:
    """What it is called. Only a Linux has /etc/os-release to tell it."""
    if linux.kernel != "Linux":
        return "macOS" if linux.kernel == "Darwin" else tame(linux.kernel) or "an unknown system"
    return tame(_shell(words(linux.reader, "/etc/os-release")).get("PRETTY_NAME", "Linux"))


def _there(reader: Reader, path: str) -> bool | None:
    """Whether that file or directory is there; None where that cannot be told."""
    try:
        return reader.names(path) is not None or reader.text(path) is not None
    except IsADirectoryError:
        return True
    except OSError:
        return None


def _secure_boot(reader: Reader) -> bool | None:
    """The variable's value is its last byte; four bytes of attributes come before (Linux: efivarfs)."""
    try:
        value = reader.text(_SECURE_BOOT)
    except OSError:
        return None
    return None if not value else value[-1] == "\x01"


def _roots(mountinfo: str) -> dict[tuple[str, str], str]:
    """(mount point, device number) to the directory of the file system that is mounted there."""
    fields = (line.split(" ") for line in mountinfo.splitlines())
    return {(unescape(f[4]), f[2]): unescape(f[3]) for f in fields if len(f) > 4}


def _volume(linux: Linux, stack: Stack, roots: dict[tuple[str, str], str], home: str) -> Volume | None:
    """The file system that `home` lies on, or will."""
    line = mount_at(home, stack.mounts)
    if line is None:
        return None
    inside = roots.get((line.point, f"{line.dev[0]}:{line.dev[1]}"), "/")
    reach = stack.below_mount(line)
    names = stack.members(line)
    uuid = next((u for u in (_uuid(stack.reader, stack.nodes.get(n)) for n in names) if u), "")
    return Volume(
        point=line.point,
        fstype=line.fstype,
        uuid=uuid or _uuid_of_fstab(stack.reader, line) or _asked(linux, line.point),
        inside=inside,
        free=linux.free(home),
        layers=reach.through,
        devices=tuple(f"/dev/{name}" for name in names),
    )


def _uuid(reader: Reader, node: Node | None) -> str:
    """udev's notes, or its links in /dev/disk/by-uuid."""
    if node is None:
        return ""
    noted = (read_udev(reader, node) or {}).get("ID_FS_UUID", "")
    if noted:
        return _clean(noted)
    try:
        links = reader.names("/dev/disk/by-uuid") or ()
    except OSError:
        return ""
    return next((_clean(n) for n in links if reader.resolve(f"/dev/disk/by-uuid/{n}") == node.path), "")


def _uuid_of_fstab(reader: Reader, line: MountLine) -> str:
    for row in words(reader, "/etc/fstab").splitlines():
        fields = row.split()
        if len(fields) > 2 and fields[1] == line.point and fields[0].startswith("UUID="):
            return _clean(fields[0].removeprefix("UUID=").strip('"'))
    return ""


def _asked(linux: Linux, point: str) -> str:
    """GRUB's own answer, which needs root's rights."""
    for program in ("grub-probe", "grub2-probe"):
        if linux.may_change() and linux.has(program):
            ran = linux.run([program, "--target=fs_uuid", point])
            return _clean(ran.said.strip()) if ran.code == 0 else ""
    return ""


def _clean(uuid: str) -> str:
    return uuid if re.fullmatch(r"[0-9A-Fa-f-]{4,64}", uuid) else ""


def _grub(linux: Linux) -> tuple[str, str, str]:
    """(directory, generator, checker) of the GRUB that is set up here; empty texts where there is none."""
    for place, generator, checker in _GRUBS:
        if not linux.has(generator):
            continue
        try:
            inside = linux.reader.names(place)
        except OSError:
            return place, generator, checker  # only root may look into it (Fedora)
        if inside is not None and "grub.cfg" in inside:
            return place, generator, checker if linux.has(checker) else ""
    return "", "", ""


def _by_hand(linux: Linux, grub_dir: str, generator: str) -> str:
    if not grub_dir:
        return ""
    return "update-grub" if linux.has("update-grub") else f"{generator} -o {grub_dir}/grub.cfg"


def _other_loader(reader: Reader) -> str:
    return next((name for name, places in _LOADERS if any(_there(reader, place) for place in places)), "")


def _conf_files(reader: Reader, place: str) -> list[str]:
    try:
        return [name for name in reader.names(place) or () if name.endswith(".conf")]
    except OSError:
        return []


def _multiboot(reader: Reader, grub_dir: str) -> bool | None:
    """Whether GRUB for BIOS can load it: modules lie beside its menu."""
    try:
        inside = reader.names(f"{grub_dir}/i386-pc")
    except OSError:
        return None
    return inside is not None and "multiboot.mod" in inside


def _shell(text: str) -> dict[str, str]:
    """NAME=value lines of a file that shells read."""
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip().strip("\"'") for name, _, value in pairs}


def _unused(reader: Reader) -> tuple[str, ...] | None:
    """Disks that nothing of this Linux lies on, in words; None where the disks cannot be listed."""
    try:
        disks = LinuxDisks(
            reader=reader, usb_bus=dict, run=lambda *_words: None, used=lambda _point: None
        ).list()
    except WizardError:
        return None
    fixed = [d for d in disks if _is_fixed(d)]
    return (
        tuple(_words(d) for d in fixed if d.system_use == () and not d.mounts and not d.holders)
        if fixed
        else None
    )


def _is_fixed(disk: Disk) -> bool:
    movable = disk.transport in ("usb", "mmc", "virtual") or disk.removable
    return disk.kind == "disk" and not movable and (disk.size or 0) >= _LARGE_ENOUGH


def _words(disk: Disk) -> str:
    holds = ", ".join(dict.fromkeys(p.fstype for p in disk.partitions if p.fstype))
    serial = f", serial {tame(disk.serial)}" if disk.serial else ""
    return f"{disk.path} ({disk.name}, {size(disk.size or 0)}{serial}{f'; holds {tame(holds)}' if holds else ''})"


def _zfs(nodes: dict[str, Node], reader: Reader) -> tuple[str, ...]:
    """The ZFS pools that udev has noted on the disks."""
    found = ((read_udev(reader, node) or {}) for node in nodes.values())
    return tuple(
        dict.fromkeys(tame(f.get("ID_FS_LABEL", "?")) for f in found if f.get("ID_FS_TYPE") == "zfs_member")
    )


def _fats(nodes: dict[str, Node], reader: Reader, stack: Stack) -> tuple[FatPartition, ...]:
    """FAT partitions; SmartOS' key has two, the loader's and one labelled SMARTOSBOOT (smartos-live: build_boot_image)."""
    notes = {name: read_udev(reader, node) or {} for name, node in nodes.items() if node.parent}
    own = frozenset[str]().union(*(stack.below_mount(line).names for line in stack.mounts))
    keys = {nodes[name].parent for name, note in notes.items() if note.get("ID_FS_LABEL") == "SMARTOSBOOT"}
    return tuple(
        FatPartition(uuid, nodes[name].path, nodes[name].parent in keys, nodes[name].parent in own)
        for name, note in notes.items()
        if note.get("ID_FS_TYPE") == "vfat" and note.get("ID_FS_LABEL") != "SMARTOSBOOT"
        and (uuid := _clean(note.get("ID_FS_UUID", "")))
    )  # fmt: skip


def _installed(reader: Reader) -> str:
    """The home that holds a record, or a trace of one that was begun; empty where nothing of ours is there."""
    for home in HOMES:
        if _there(reader, f"{home}/{RECORD}") or _there(reader, home):
            return home
    return HOMES[0] if _there(reader, SCRIPT) else ""
