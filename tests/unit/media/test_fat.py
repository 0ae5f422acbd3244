"""FAT32 volumes made and read again: files, names, owners of bytes, and damage."""

import itertools
import os
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smartos_wizard.media.fat import FatProblem, FatVolume
from smartos_wizard.media.fat_format import format_fat32, layout_of
from smartos_wizard.media.fat_tree import Stretch

SIZE = 34 << 20
FILES = {
    "boot/loader.conf": b'console="text"\n',
    "boot/forth/menu-commands.4th": b"m" * 1500,
    "private/": b"",
    "platform/i86pc/amd64/boot_archive": random.Random(1).randbytes(1_000_001),
    "platform/i86pc/amd64/boot_archive.hash": b"h",
    "empty.txt": b"",
    "READ.ME": b"short upper-case name",
}


def built(size=SIZE, files=FILES, cluster_sectors=1, fresh=True):
    image = bytearray(size)
    for offset, data in format_fat32(size, "smartosboot", cluster_sectors, files=files, fresh=fresh):
        image[offset : offset + len(data)] = data
    assert len(image) == size
    return image


def opened(image, first=0):
    return FatVolume(lambda at, n: bytes(image[at : at + n]), first, len(image) - first)


def fat_slot(image, cluster):
    """Offset of a cluster's entry in the first FAT."""
    return 32 * 512 + cluster * 4


@pytest.fixture(scope="module")
def pristine():
    return bytes(built())


@pytest.fixture
def image(pristine):
    return bytearray(pristine)


def test_every_file_comes_back_with_its_name_and_bytes(pristine):
    volume = opened(pristine)
    assert volume.label == "SMARTOSBOOT"
    found = {f.path: b"".join(volume.chunks(f)) for f in volume.files() if not f.directory}
    assert found == {path: data for path, data in FILES.items() if not path.endswith("/")}
    assert volume.find("private").directory


def test_names_are_found_in_either_case(pristine):
    assert opened(pristine).read("BOOT/Loader.conf") == FILES["boot/loader.conf"]
    assert opened(pristine).read("boot/nothing") is None
    assert opened(pristine).read("boot") is None


def test_many_names_that_shorten_to_the_same_stay_apart():
    names = {f"boot/forth/some-long-name-{i}.4th": str(i).encode() for i in range(40)}
    volume = opened(built(files=names))
    assert {f.path: volume.read(f.path) for f in volume.files() if not f.directory} == names


def test_a_volume_anywhere_in_an_image_is_read(pristine):
    assert opened(bytes(4096) + pristine, 4096).read("READ.ME") == FILES["READ.ME"]


def test_content_may_be_produced_while_it_is_written():
    stretch = Stretch(5_000, lambda: iter([b"a" * 1, b"b" * 4_000, b"c" * 999]))
    assert opened(built(files={"x": stretch})).read("x") == b"a" + b"b" * 4000 + b"c" * 999


def test_content_of_another_size_than_announced_is_an_error():
    with pytest.raises(ValueError, match="another size"):
        built(files={"x": Stretch(5_000, lambda: iter([b"a"]))})


def test_extents_rise_and_an_old_file_system_is_overwritten_where_the_volume_is_not_fresh():
    extents = list(format_fat32(SIZE, "x", 1))
    assert all(a[0] + len(a[1]) <= b[0] for a, b in itertools.pairwise(extents))
    layout = layout_of(SIZE, 1)
    covered = sum(len(data) for _offset, data in extents)
    assert covered >= layout.data_start * 512


@pytest.mark.parametrize("size", [40 << 20, 300 << 20, 1_940_000_256, 16 << 30, 64 << 30, 2 << 40])
def test_the_automatic_layout_is_aligned_and_covers_its_clusters(size):
    layout = layout_of(size)
    assert layout.clusters >= 65525
    assert layout.fat_sectors * 128 >= layout.clusters + 2
    assert layout.fat_sectors % 8 == 0
    assert layout.data_start % 8 == 0
    assert (layout.data_start + layout.clusters * layout.cluster_sectors) * 512 <= size


def test_the_key_has_clusters_of_one_sector():
    layout = layout_of(3244032 * 512, 1)
    assert layout.clusters > 3_190_000
    assert layout.fat_sectors == -(-(layout.clusters + 2) * 4 // 512)


def test_a_volume_too_small_for_fat32_or_for_its_files_is_refused():
    with pytest.raises(ValueError, match="cannot have"):
        layout_of(20 << 20)
    with pytest.raises(ValueError, match="clusters"):
        list(format_fat32(SIZE, "x", 1, files={"big": Stretch(40 << 20, lambda: iter(()))}))
    with pytest.raises(ValueError, match="is a file"):
        list(format_fat32(SIZE, "x", 1, files={"a": b"", "a/b": b""}))


def test_each_byte_has_its_owner(pristine):
    volume, layout = opened(pristine), layout_of(SIZE, 1)
    archive = volume.find("platform/i86pc/amd64/boot_archive")
    start = layout.offset_of(archive.cluster)
    assert volume.owner(0) == "the file system's boot sectors"
    assert volume.owner(32 * 512) == "the file allocation table, copy 1"
    assert volume.owner(layout.data_start * 512 - 1) == "the file allocation table, copy 2"
    assert volume.owner(layout.offset_of(2)) == "the root directory"
    assert volume.owner(start) == "file platform/i86pc/amd64/boot_archive"
    assert volume.owner(start + 1_000_000) == "file platform/i86pc/amd64/boot_archive"
    assert volume.owner(layout.offset_of(volume.find("boot/forth").cluster)) == "directory boot/forth"
    assert volume.owner(SIZE - 600) == "free space"


def test_a_fragmented_file_is_read_in_the_order_of_its_chain(image):
    layout, volume = layout_of(SIZE, 1), opened(image)
    first = volume.find("boot/forth/menu-commands.4th").cluster
    # Three clusters a, b, c laid as a, c', b' where the chain runs backwards.
    for content, cluster in ((b"B" * 512, first + 2), (b"C" * 512, first + 1)):
        at = layout.offset_of(cluster)
        image[at : at + 512] = content
    for cluster, following in ((first, first + 2), (first + 2, first + 1), (first + 1, 0x0FFFFFFF)):
        image[fat_slot(image, cluster) : fat_slot(image, cluster) + 4] = following.to_bytes(4, "little")
    again = opened(image)
    assert again.read("boot/forth/menu-commands.4th") == b"m" * 512 + b"B" * 512 + b"C" * (1500 - 1024)
    assert again.owner(layout.offset_of(first + 1)) == "file boot/forth/menu-commands.4th"


@pytest.mark.parametrize("following", [0, 1, 5, 0x0FFFFFF7, 0x00FFFFFF])
def test_a_broken_or_circular_chain_is_a_problem_and_ends(image, following):
    archive = opened(image).find("platform/i86pc/amd64/boot_archive")
    at = fat_slot(image, archive.cluster + 10)
    image[at : at + 4] = (archive.cluster if following == 5 else following).to_bytes(4, "little")
    volume = opened(image)
    assert not volume.whole(archive)
    with pytest.raises(FatProblem):
        list(volume.chunks(archive))


def test_a_directory_that_contains_itself_ends(image):
    layout, volume = layout_of(SIZE, 1), opened(image)
    boot, forth = volume.find("boot"), volume.find("boot/forth")
    at = layout.offset_of(boot.cluster)
    entries = image[at : at + 512]
    place = at + entries.index(forth.cluster.to_bytes(2, "little"), 64 + 26)
    image[place : place + 2] = boot.cluster.to_bytes(2, "little")
    assert len(opened(image).files()) < 100


def test_no_file_system_is_a_problem():
    with pytest.raises(FatProblem):
        opened(bytearray(SIZE))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 1200), st.integers(0, 255)), min_size=1, max_size=20))
def test_damage_gives_a_problem_or_files_but_nothing_else(pristine, pokes):
    small = layout_of(SIZE, 1)
    image = bytearray(pristine)
    for at, value in pokes:
        # The boot sector, and the first directories.
        image[at if at < 600 else small.offset_of(2) + at - 600] = value
    try:
        volume = opened(image)
        for file in volume.files():
            volume.whole(file)
        volume.owner(small.offset_of(3))
        volume.owner(os.getpid() % SIZE)
    except FatProblem:
        pass
