"""Tables of real and broken keys."""

import os

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from smartos_wizard.media.partitions import read_table
from smartos_wizard.practice import gpt
from smartos_wizard.practice.image import LEGACY_IMAGE_SIZE, USB_IMAGE_SIZE

SECTORS = USB_IMAGE_SIZE // 512


class Sparse:
    """A disk of any size of which only some bytes are kept; reads like one."""

    def __init__(self, size=USB_IMAGE_SIZE, extents=None):
        self.size = size
        self.bytes = {}
        for offset, data in extents if extents is not None else gpt.key_tables(SECTORS, 1, b"\xfa\xf4"):
            self.put(offset, data)

    def put(self, offset, data):
        for index, value in enumerate(data):
            self.bytes[offset + index] = value

    def pread(self, offset, length):
        assert offset >= 0
        return bytes(self.bytes.get(at, 0) for at in range(offset, min(offset + length, self.size)))

    def table(self):
        return read_table(self.pread, self.size)


def test_the_key_has_nine_entries_and_its_four_partitions_where_the_builder_puts_them():
    table = Sparse().table()
    assert (table.scheme, table.key_version, table.entry_count) == ("gpt", "2.0", 9)
    assert [(e.slot, e.name, e.first, e.size) for e in table.entries] == [
        (1, "loader", 2048 * 512, 256 << 20),
        (2, "boot", 526336 * 512, 1 << 20),
        (3, "root", 528384 * 512, 1584 << 20),
        (9, "reserved", 3772646 * 512, 8 << 20),
    ]
    assert (table.problems, table.notes, table.backup_ok) == ((), (), True)
    assert table.image_size == USB_IMAGE_SIZE
    assert table.root.name == "root"


def test_on_a_larger_stick_the_backup_is_found_and_the_difference_called_harmless():
    disk = Sparse()
    disk.size = 32 << 30
    table = disk.table()
    assert table.backup_ok is True
    assert table.problems == ()
    assert "harmless" in table.notes[0]


def test_a_grub_key_is_recognised_by_its_mark():
    disk = Sparse(LEGACY_IMAGE_SIZE, [(0, gpt.legacy_mbr(b"\xfa"))])
    table = disk.table()
    assert (table.scheme, table.key_version) == ("mbr", "grub")
    assert [(e.first, e.size, e.active) for e in table.entries] == [(600 * 512, 3905400 * 512, True)]
    assert table.root == table.entries[0]


@pytest.mark.parametrize(
    ("offset", "data", "words"),
    [
        (512 + 40, b"\x23", "checksum of the GPT header"),
        (1024 + 60, b"X", "list of partitions is wrong"),
        (510, b"\0\0", "boot signature"),
        (0, bytes(440), "no boot code"),
        (450, b"\x83", "does not protect"),
        (USB_IMAGE_SIZE - 512, bytes(512), "backup GPT at the end of the image is missing"),
        (USB_IMAGE_SIZE - 512 + 20, b"\xff", "backup GPT at the end of the image is damaged"),
        (USB_IMAGE_SIZE - 33 * 512 + 60, b"X", "backup GPT's list"),
        (512 + 80, b"\xff\xff\xff\xff", "impossible list"),
    ],
)
def test_each_damage_has_its_own_sentence(offset, data, words):
    disk = Sparse()
    disk.put(offset, data)
    assert any(words in problem for problem in disk.table().problems)


def test_a_cut_off_image_is_named_with_both_sizes():
    disk = Sparse()
    disk.size -= 4096
    table = disk.table()
    assert table.backup_ok is False
    assert any("1,939,996,160" in p and "1,940,000,256" in p for p in table.problems)


def test_held_back_boot_sectors_read_as_an_unfinished_write():
    disk = Sparse(extents=[(2048 * 512 + 510, b"\x55\xaa")])
    table = disk.table()
    assert table.scheme == "none"
    assert "unfinished write" in table.problems[0]


def test_an_empty_disk_is_just_empty():
    table = Sparse(extents=[]).table()
    assert table.scheme == "none"
    assert "unfinished" not in table.problems[0]


def test_an_iso_on_a_stick_is_an_iso():
    assert Sparse(extents=[(32769, b"CD001")]).table().scheme == "iso"


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=3000), st.integers(0, 1 << 50))
@example(b"", 0)
def test_garbage_never_raises(garbage, size):
    read_table(lambda at, length: garbage[at : at + length], size)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2047), st.integers(0, 255)), max_size=12))
def test_a_damaged_key_never_raises_and_damage_in_the_gpt_is_never_overlooked(pokes):
    tables = gpt.key_tables(SECTORS, 1, b"\xfa")
    front = bytearray(2048)
    for offset, data in tables[:3]:
        front[offset : offset + len(data)] = data[: 2048 - offset]
    pristine = bytes(front)
    for at, value in pokes:
        front[at] = value
    tail = dict(tables[3:])

    def pread(at, length):
        if at in tail:
            return tail[at][:length]
        return bytes(front[at : at + length]).ljust(length, b"\0")

    table = read_table(pread, USB_IMAGE_SIZE)
    if bytes(front[512:604]) != pristine[512:604]:
        assert table.problems
    if table.scheme == "gpt" and bytes(front[1024:2048]) != pristine[1024:2048]:
        assert table.problems


@settings(max_examples=50, deadline=None)
@given(
    st.integers(0, 1 << 63), st.integers(0, 1 << 32 - 1), st.integers(0, 1 << 32 - 1), st.integers(0, 1 << 63)
)
def test_a_hostile_gpt_with_right_checksums_asks_for_nothing_absurd(array_at, count, entry_size, other):
    import struct
    import zlib

    head = struct.pack(
        "<8sIIIIQQQQ16sQIII",
        b"EFI PART",
        0x10000,
        92,
        0,
        0,
        1,
        other,
        34,
        99,
        b"d" * 16,
        array_at,
        count & 0xFFFFFFFF,
        entry_size & 0xFFFFFFFF,
        0,
    )
    head = head[:16] + struct.pack("<I", zlib.crc32(head)) + head[20:]
    front = bytes(510) + b"\x55\xaa" + head.ljust(512, b"\0")

    def pread(at, length):
        assert 0 <= at < 1 << 34
        assert 0 <= length <= 1 << 22
        return front[at : at + length].ljust(length, b"\0")

    assert read_table(pread, 1 << 34).problems


def test_it_is_read_from_a_file_as_well(tmp_path):
    path = tmp_path / "key.img"
    path.write_bytes(os.urandom(10_000))
    with path.open("rb") as file:
        table = read_table(lambda at, n: os.pread(file.fileno(), n, at), 10_000)
    assert table.scheme in ("none", "mbr")
