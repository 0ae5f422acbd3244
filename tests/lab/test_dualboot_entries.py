"""Real GRUB starts the probe through our entries: from each file system it may lie on, and out of an ISO.

The entries stand in a menu of one line more, which chooses one of them; the rest is what `dualboot install` would put.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from smartos_wizard.boot.model import BootChoices, Kmdb, Module
from smartos_wizard.media import machine
from smartos_wizard.netboot.dualboot_draft import Draft, draft, files_of, iso_name
from smartos_wizard.netboot.dualboot_model import Volume, Way
from smartos_wizard.netboot.grub_entry import ROOT_ROOT
from tests.lab.rig import parts, probe, probe_disk

pytestmark = pytest.mark.lab

STAMP = "20260101T000000Z"
HOME = "/boot/smartos-wizard"
SHADOW = "$5$abcdefgh$Kx0v./yZpLmNoPqRsTuVwXyZ0123456789abcdEFGH1"
NOTHING = BootChoices()
ANSWERS = {"config_console": "true", "hostname": "box", "dns_search": "a$b"}


@pytest.fixture(scope="module")
def platform(space: Path) -> Path:
    probe_disk.need()
    return probe.platform_tree(space / "entries-platform", 3_000_001)


@pytest.fixture(scope="module")
def iso(space: Path, platform: Path) -> Path:
    path = space / "probe.iso"
    probe_disk.run("xorriso", "-as", "mkisofs", "-quiet", "-R", "-o", str(path), str(platform))
    return path


class Beside:
    """A disk with a Linux' /boot on it, and SmartOS beside it as drafted."""

    def __init__(
        self, place: Path, fstype: str, way: Way, source: Path, choices: BootChoices = NOTHING
    ) -> None:
        self.place, self.tree = place, place / "tree"
        probe_disk.grub_modules(self.tree / "boot/grub/i386-pc")
        target = self.tree / HOME.strip("/") / STAMP
        target.mkdir(parents=True)
        if way is Way.ISO:
            (target / iso_name(STAMP)).write_bytes(source.read_bytes())
        else:
            probe_disk.run("cp", "-r", f"{source}/platform", str(target))
        self._lay(fstype, way, choices)

    def _lay(self, fstype: str, way: Way, choices: BootChoices) -> None:
        self.draft = self._drafted(fstype, "0000-0000", way, choices)
        for path, data in self.draft.own.items():
            file = self.tree / HOME.strip("/") / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        menu = self.tree / "boot/grub/grub.cfg"
        menu.write_text("source /boot/chosen.cfg\nset timeout=0\n. /boot/entries.cfg\n")
        (self.tree / "boot/entries.cfg").write_text("#" * 8192)
        (self.tree / "boot/chosen.cfg").write_text("set default=0  \n")
        self.disk = self.place / "disk.img"
        uuid = probe_disk.filled(self.disk, fstype, self.tree)
        self.draft = self._drafted(fstype, uuid, way, choices)
        checked = self.place / "entries.cfg"
        checked.write_text(self.draft.entries)
        probe_disk.run("grub-script-check", str(checked))
        self.overwrite(b"#" * 8192, self.draft.entries.encode().ljust(8192))
        probe_disk.install_grub(self.disk)

    def _drafted(self, fstype: str, uuid: str, way: Way, choices: BootChoices) -> Draft:
        sizes = {iso_name(STAMP): 1} if way is Way.ISO else {probe.UNIX: 1}
        volume = Volume("/", fstype, uuid)
        return draft(way, HOME, volume, STAMP, files_of(way, STAMP, sizes), choices)

    def overwrite(self, old: bytes, new: bytes) -> None:
        """Put other bytes of the same length into a file on the disk: its UUID is known only once it is made."""
        assert len(old) == len(new), "the entries are longer than the room left for them"
        data = self.disk.read_bytes()
        assert data.count(old) == 1
        with self.disk.open("r+b") as file:
            file.seek(data.index(old))
            file.write(new)

    def boot(self, entry: int) -> probe.Report:
        """Start it with that entry: the probe's report."""
        if entry:
            self.overwrite(b"set default=0  \n", b"set default=1  \n")
        ran = probe_disk.booted(self.disk, self.place / f"run{entry}")
        assert ran.code == probe.ENDED, ran.said[-2000:]
        return ran.report


@pytest.mark.parametrize("fstype", ["ext4", "xfs", "vfat", "btrfs"])
def test_smartos_starts_from_the_file_systems_that_hold_boot(tmp_path, platform, fstype):
    report = Beside(tmp_path, fstype, Way.UNPACKED, platform).boot(0)
    kernel = f"{HOME}/{STAMP}/{probe.UNIX}"
    assert report.line == f"{kernel} -B smartos=true,console=text,zpools=zones"
    assert report.loader.startswith("GRUB 2")
    archive = (platform / probe.ARCHIVE).read_bytes()
    got = report.module("ramdisk")
    assert (got.size, got.sha1, got.path) == (
        len(archive),
        probe.sha1(archive),
        f"{HOME}/{STAMP}/{probe.ARCHIVE}",
    )
    assert report.hashes == {"ramdisk": "ok"}


def test_smartos_starts_out_of_its_iso_and_rescue_arrives_whole(tmp_path, iso, platform):
    beside = Beside(tmp_path, "ext4", Way.ISO, iso)
    report = beside.boot(0)
    assert report.line == f"/{probe.UNIX} -B smartos=true,console=text,zpools=zones"
    archive = (platform / probe.ARCHIVE).read_bytes()
    assert (report.module("ramdisk").size, report.module("ramdisk").sha1) == (
        len(archive),
        probe.sha1(archive),
    )
    assert report.hashes == {"ramdisk": "ok"}
    rescue = beside.boot(1)
    assert rescue.properties == {
        "console": "text",
        "noimport": "true",
        "standalone": "true",
        "root_shadow": ROOT_ROOT,
    }


@pytest.mark.parametrize("way", [Way.UNPACKED, Way.ISO])
def test_choices_answers_and_files_arrive_and_a_hash_of_ones_own_stays_out_of_the_menu(
    tmp_path, iso, platform, way
):
    choices = BootChoices(
        console="ttyb", pools=("zones", "data"), root_shadow=SHADOW, hostname="box-1", verbose=True, kmdb=Kmdb.LOADED,
        answers=ANSWERS, modules=(Module("etc/system", "boot/bootfs/etc/system", b"set x=1\n"),),
    )  # fmt: skip
    beside = Beside(tmp_path, "ext4", way, iso if way is Way.ISO else platform, choices)
    assert SHADOW not in beside.draft.entries
    report = beside.boot(0)
    assert " -vk -B " in report.line
    assert report.properties == {"smartos": "true", "console": "ttyb", "hostname": "box-1"}
    own = beside.draft.own
    for name, module in (
        ("answers.json", report.module("answers.json")),
        ("modules/etc/system", report.module("etc/system")),
    ):
        data = own[f"{STAMP}/{name}"]
        assert (module.size, module.sha1, module.said("type")) == (len(data), probe.sha1(data), "file")
    (environment,) = (m for m in report.modules if m.said("type") == "environment")
    told = b"ttyb-mode=115200,8,n,1,-\0zpools=zones,data\0root_shadow=" + SHADOW.encode() + b"\0"
    assert environment.sha1 == probe.sha1(told)
    rescue = beside.boot(1)
    assert rescue.properties == {"console": "ttyb", "noimport": "true", "standalone": "true"}
    assert not [m for m in rescue.modules if m.said("name") == "answers.json"]
    (environment,) = (m for m in rescue.modules if m.said("type") == "environment")
    assert environment.sha1 == probe.sha1(b"ttyb-mode=115200,8,n,1,-\0root_shadow=" + SHADOW.encode() + b"\0")


def test_a_damaged_archive_is_refused_by_the_kernel(tmp_path, platform):
    beside = Beside(tmp_path, "ext4", Way.UNPACKED, platform)
    archive = (platform / probe.ARCHIVE).read_bytes()
    beside.overwrite(archive[1_000_000:1_000_064], bytes(64))
    ran = probe_disk.booted(beside.disk, tmp_path / "run")
    assert (ran.code, ran.report.hashes) == (probe.WRONG_HASH, {"ramdisk": "mismatch"})


def test_by_uefi_grub_starts_smartos_own_loader_from_its_key(tmp_path):
    """A GRUB that says its word stands in the loader's place on the key."""
    probe_disk.need()
    parts.need_files(["/usr/lib/grub/x86_64-efi/chain.mod"])
    firmware = machine.uefi()
    if firmware is None:
        parts.missing("UEFI firmware for QEMU (ovmf)")
        return
    key, linux = tmp_path / "key.img", tmp_path / "linux.img"
    word = "the loader of SmartOS\n"
    uuid = _esp(
        key,
        "serial terminal echo halt",
        f"serial --unit=0\nterminal_output serial\necho {word}sleep 1\nhalt\n",
    )
    entries = draft(
        Way.CHAINLOAD, HOME, Volume("/", "ext4", "aaaa"), "loader", (), BootChoices(), uuid
    ).entries
    _esp(linux, "chain search search_fs_uuid", f"{entries}\nset default=0\nset timeout=0\n")
    variables = tmp_path / "vars.fd"
    variables.write_bytes(Path(firmware.files[1]).read_bytes())
    media = [
        "-drive",
        f"if=pflash,format=raw,readonly=on,file={firmware.files[0]}",
        "-drive",
        f"if=pflash,format=raw,file={variables}",
    ]
    for index, disk in enumerate((linux, key)):
        media += ["-drive", f"file={disk},format=raw,if=none,id=d{index},snapshot=on"]
        media += ["-device", f"virtio-blk-pci,drive=d{index},bootindex={index}"]
    ran = probe.started(tmp_path / "run", media, patience=90)
    assert word.strip() in ran.said, ran.said[-2000:]


def _esp(disk: Path, modules: str, script: str) -> str:
    """A disk with a FAT partition whose /EFI/BOOT/BOOTX64.EFI is a GRUB that runs this script; the FAT's UUID."""
    tree, early = disk.with_suffix(".tree"), disk.with_suffix(".cfg")
    (tree / "EFI/BOOT").mkdir(parents=True)
    (tree / "EFI/BOOT/grub.cfg").write_text(script)
    early.write_text("configfile ($root)/EFI/BOOT/grub.cfg\n")
    program = str(tree / "EFI/BOOT/BOOTX64.EFI")
    words = ("part_msdos", "part_gpt", "fat", "normal", "configfile", "test", "sleep", *modules.split())
    probe_disk.run(
        "grub-mkimage", "-O", "x86_64-efi", "-o", program, "-p", "/EFI/BOOT", "-c", str(early), *words
    )
    uuid = probe_disk.filled(disk, "vfat", tree)
    probe_disk.run("sfdisk", "-q", "--part-type", str(disk), "1", "ef")
    return uuid
