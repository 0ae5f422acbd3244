"""What `key show` says of good keys, configured keys and broken ones."""

import os

import pytest

from smartos_wizard.boot.loader_conf import console_of, grub_console, merge, nonsense, parse
from smartos_wizard.media.contents import ARCHIVE, locate, read_contents
from smartos_wizard.media.fat import FatVolume
from smartos_wizard.media.fat_format import format_fat32
from smartos_wizard.practice import gpt
from smartos_wizard.practice.image import build_usb_image

STAMP = "20260903T001557Z"
SMALL = 300_000


class Key:
    """A practice key to look into and to damage."""

    def __init__(self, path, **options):
        build_usb_image(path, STAMP, boot_archive_size=SMALL, **options)
        self.fd = os.open(path, os.O_RDWR)
        self.size = os.fstat(self.fd).st_size

    def pread(self, at, length):
        return os.pread(self.fd, length, at)

    def contents(self, **options):
        return read_contents(self.pread, self.size, **options)

    def file_at(self, path):
        root = FatVolume(self.pread, gpt.ROOT.offset, gpt.ROOT.size)
        return gpt.ROOT.offset + root._data_start + (root.find(path).cluster - 2) * 512


@pytest.fixture
def key(tmp_path):
    made = []

    def make(**options):
        made.append(Key(tmp_path / f"key{len(made)}.img", **options))
        return made[-1]

    yield make
    for each in made:
        os.close(each.fd)


def test_a_released_key_is_healthy_and_tells_its_stamp_and_console(key):
    contents = key().contents(deep=True)
    assert (contents.layout, contents.key_version) == ("gpt", "2.0")
    assert (contents.stamp, contents.boot_stamp, contents.console) == (STAMP, STAMP, "text")
    assert contents.settings["ttya-mode"] == "115200,8,n,1,-"
    assert (contents.problems, contents.extra_files, contents.notes) == ((), (), ())
    assert [p["slot"] for p in contents.partitions] == [1, 2, 3, 9]


def test_a_grub_key_is_read_too(key):
    contents = key(legacy=True).contents(deep=True)
    assert (contents.layout, contents.key_version, contents.stamp) == ("mbr", "grub", STAMP)
    assert (contents.console, contents.problems, contents.extra_files) == ("text", (), ())


def test_the_users_files_are_listed_and_his_console_counts(key):
    extra = {
        "private/answers.json": b"{}",
        "boot/loader.conf.local": b'# mine\nos_console="ttyb"\nroot_shadow="$5$secret"\n',
        "notes from me.txt": b"x",
        ".Trashes/1": b"",
        "._private": b"",
    }
    contents = key(extra=extra).contents()
    assert contents.extra_files == ("boot/loader.conf.local", "notes from me.txt", "private/answers.json")
    assert contents.console == "ttyb"
    assert "secret" not in str(contents)
    assert any("desktop" in note for note in contents.notes)


def test_a_line_the_loader_does_not_understand_is_a_problem(key):
    contents = key(extra={"boot/loader.conf.local": b'os_console="ttyb\nset foo\n'}).contents()
    assert sum("will not understand" in p for p in contents.problems) == 2
    assert contents.console == "text"


@pytest.mark.parametrize("missing", ["platform/i86pc/kernel/amd64/unix", ARCHIVE])
def test_a_missing_kernel_or_archive_is_a_problem(key, missing):
    contents = key(extra={missing: b""}).contents()
    assert any(missing in problem and "missing" in problem for problem in contents.problems)


def test_a_changed_boot_archive_is_seen_only_when_it_is_read_whole(key):
    broken = key()
    os.pwrite(broken.fd, b"changed", broken.file_at(ARCHIVE) + 1000)
    assert broken.contents().problems == ()
    assert any("panic" in problem for problem in broken.contents(deep=True).problems)


def test_an_interrupted_write_is_called_unfinished(key):
    broken = key()
    os.pwrite(broken.fd, bytes(1 << 20), 0)
    contents = broken.contents()
    assert contents.layout == ""
    assert "unfinished write" in contents.problems[0]


def test_a_key_cut_short_is_a_problem(key):
    short = key()
    os.ftruncate(short.fd, short.size - 5000)
    short.size -= 5000
    assert any("cut off" in problem for problem in short.contents().problems)


def test_a_wiped_smartos_partition_is_a_problem_not_a_crash(key):
    broken = key()
    os.pwrite(broken.fd, os.urandom(4096), gpt.ROOT.offset)
    os.pwrite(broken.fd, bytes(4096), gpt.LOADER.offset)
    problems = broken.contents().problems
    assert any("SmartOS partition cannot be read" in p for p in problems)
    assert any("EFI partition cannot be read" in p for p in problems)


def test_a_byte_is_located_in_its_partition_and_file(key):
    image = key()

    def at(offset):
        return locate(image.pread, image.size, offset)

    assert at(0) == "in the boot sector (MBR)"
    assert at(600) == "in the partition table (header of the GPT)"
    assert at(5000) == "in the partition table (list of the GPT)"
    assert at(500_000) == "in unused space before partition loader"
    assert at(gpt.BOOT.offset) == "in partition boot"
    assert at(gpt.ROOT.offset) == "in partition root, the file system's boot sectors"
    assert at(image.file_at(ARCHIVE) + 777) == f"in partition root, file {ARCHIVE}"
    assert at(gpt.RESERVED.offset - 1) == "in unused space before partition reserved"
    assert "backup GPT" in at(image.size - 1)


def test_locating_survives_a_key_that_cannot_be_read():
    def broken(_at, _length):
        raise OSError(5, "Input/output error")

    assert locate(broken, 1 << 30, 77) == "in a part of the disk that cannot be read"


def test_a_later_file_overrides_and_quotes_and_comments_are_understood():
    shipped = 'console="text,ttya"\nos_console=\'text\'\nloose=YES # why\n# os_console="ttyc"\nboot_archive.hash_load="YES"\n'
    settings = merge(shipped, 'os_console="ttya"\n')
    assert settings == {
        "console": "text,ttya",
        "os_console": "ttya",
        "loose": "YES",
        "boot_archive.hash_load": "YES",
    }
    assert console_of(settings) == "ttya"
    assert console_of(parse('console="ttyb,text"')) == "ttyb"
    assert console_of({}) == ""
    assert nonsense('a="b"\n\n# c\nhello\nx="y\n') == ("hello", 'x="y')


def test_the_console_of_a_grub_menu():
    assert grub_console("variable os_console ttyb\n") == "ttyb"
    assert grub_console("kernel /platform/i86pc/kernel/amd64/unix -B console=ttya,smartos=true\n") == "ttya"
    assert grub_console("timeout=10\n") == ""


def test_an_ordinary_stick_is_not_taken_for_a_legacy_key(tmp_path):
    path = tmp_path / "stick.img"
    with path.open("wb") as stick:
        stick.truncate(64 << 20)
        stick.seek(446)
        stick.write(
            bytes([0, 0, 0, 0, 0x0C, 0, 0, 0]) + (2048).to_bytes(4, "little") + (129024).to_bytes(4, "little")
        )
        stick.seek(510)
        stick.write(b"\x55\xaa")
        for offset, data in format_fat32(129024 * 512, "STICK"):
            stick.seek((2048 << 9) + offset)
            stick.write(data)
    with path.open("rb") as stick:
        found = read_contents(lambda offset, size: os.pread(stick.fileno(), size, offset), 64 << 20)
    assert found.layout == ""
    assert any("ordinary stick" in problem for problem in found.problems)
