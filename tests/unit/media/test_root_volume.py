"""Where SmartOS is on a key, or by which name it is refused; and drafts, which change nothing below them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartos_wizard.core.errors import Refused
from smartos_wizard.media.fat_edit import FatEditor
from smartos_wizard.media.proving import Reader
from smartos_wizard.media.root_volume import Draft, pread_of, require_smartos, require_sound, root_of
from smartos_wizard.media.volume import DeviceVolume
from tests.unit.media.fat_rig import SECTOR, Memory, volume
from tests.unit.writing.parts import MemoryDevice
from tests.unit.writing.small_keys import FIRST, GRUB, GRUB_FIRST, VOLUME, key, small_image

KERNEL = "platform/i86pc/kernel/amd64/unix"
ARCHIVE = "platform/i86pc/amd64/boot_archive"


def refused(device: MemoryDevice, reference: str) -> Refused:
    with pytest.raises(Refused) as caught:
        root_of(Reader(device), device.size, device.name)
    assert caught.value.reference == reference
    assert "Nothing was changed." in caught.value.message
    assert caught.value.hint
    return caught.value


def test_a_loader_key_and_a_grub_key_are_found() -> None:
    for device, first, legacy in (
        (key(), FIRST, False),
        (key(small_image(GRUB, legacy=True)), GRUB_FIRST, True),
    ):
        root = root_of(Reader(device), device.size, device.name)
        assert (root.first, root.size, root.legacy) == (first, VOLUME, legacy)


@pytest.mark.parametrize(
    ("head", "word"),
    [(b"\x1f\x8b\x08\0", "gzip"), (b"BZh9", "bzip2"), (b"\xfd7zXZ\0", "xz"), (b"PK\x03\x04", "zip")],
)
def test_a_compressed_image_is_told_from_a_key(head: bytes, word: str) -> None:
    device = key()
    device.data[: len(head)] = head
    assert word in refused(device, "compressed-image").message


def test_an_iso_is_no_key() -> None:
    device = key()
    device.data[:4096] = bytes(4096)
    device.data[32769:32774] = b"CD001"
    refused(device, "iso-not-a-key")


@pytest.mark.parametrize("size", [0, 512, 4096, 1 << 20])
def test_what_holds_no_table_holds_no_smartos(size: int) -> None:
    refused(MemoryDevice(size), "no-smartos")


def test_a_key_whose_writing_was_never_finished_is_refused() -> None:
    device = key()
    device.data[: 1 << 20] = bytes(1 << 20)
    assert "never finished" in refused(device, "no-smartos").message


def test_a_partition_that_goes_beyond_the_end_is_not_read_beyond_it() -> None:
    device = key()
    device.size = 20 << 20
    assert root_of(Reader(device), device.size, device.name).size == (20 << 20) - FIRST


def test_another_fat_disk_and_a_broken_smartos_are_told_apart() -> None:
    for files, reference in (
        ({"photos/cat.jpg": b"meow"}, "no-smartos"),
        ({KERNEL: b"unix"}, "not-whole"),
        ({KERNEL: b"unix", ARCHIVE: b""}, "not-whole"),
        ({f"{KERNEL}/oops": b"a directory", ARCHIVE: b"x"}, "not-whole"),
    ):
        with pytest.raises(Refused) as caught:
            require_smartos(FatEditor(volume(files)), "/dev/key1")
        assert caught.value.reference == reference
    require_smartos(FatEditor(volume({KERNEL: b"unix", ARCHIVE: b"x"})), "/dev/key1")


def test_a_damaged_file_system_is_refused() -> None:
    memory = volume({KERNEL: b"unix" * 500, ARCHIVE: b"x"})
    require_sound(memory)
    fat = memory.sectors[32 * SECTOR]
    memory.sectors[32 * SECTOR] = fat[:12] + b"\7\0\0\0" + fat[16:]
    with pytest.raises(Refused) as caught:
        require_sound(memory)
    assert caught.value.reference == "file-system-damaged"


def test_a_draft_shows_the_change_and_the_key_below_it_does_not() -> None:
    device = key()
    before = bytes(device.data)
    draft = Draft(DeviceVolume(device, FIRST, VOLUME))
    editor = FatEditor(draft)
    editor.put("local/notes.txt", b"mine")
    editor.commit()
    assert FatEditor(draft).read("local/notes.txt") == b"mine"
    require_sound(draft)
    assert bytes(device.data) == before
    assert device.writes == []


@given(st.lists(st.tuples(st.integers(0, 15), st.binary(min_size=1, max_size=3)), max_size=8), st.data())
def test_a_draft_reads_as_if_it_had_been_written(
    writes: list[tuple[int, bytes]], data: st.DataObject
) -> None:
    size = 20 * SECTOR
    below = Memory(size, {at * SECTOR: bytes([at]) * SECTOR for at in range(20)})
    draft, plain = Draft(below), bytearray(below.read(0, size))
    for at, content in writes:
        whole = b"".join(bytes([letter]) * SECTOR for letter in content)
        draft.write(at * SECTOR, whole)
        plain[at * SECTOR : at * SECTOR + len(whole)] = whole
    offset, length = data.draw(st.integers(0, size + 600)), data.draw(st.integers(0, size))
    assert pread_of(draft)(offset, length) == bytes(plain[offset : offset + length])
    assert not below.log
