"""Disks: what is written follows the format to the byte; QEMU's own reading of them is in the lab."""

from __future__ import annotations

import itertools
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smartos_wizard.guests.vmware import vmdk

SIZES = st.one_of(
    st.integers(1, 1 << 24), st.integers(1, vmdk.LARGEST), st.sampled_from([1, 65536, 65537, vmdk.LARGEST])
)


@settings(max_examples=30, deadline=None)
@given(SIZES)
def test_every_table_has_its_place_and_nothing_overlaps(size: int) -> None:
    pieces, length = vmdk.empty_disk(size, "zones-0.vmdk", 7)
    (_, header), (text_at, text), (spare_at, spare), (main_at, main) = pieces
    magic, version, flags, capacity, grain, d_at, d_room, entries, rgd, gd, overhead, unclean = (
        struct.unpack_from("<4sIIQQQQIQQQB", header)
    )
    assert (magic, version, flags, grain, entries, unclean) == (b"KDMV", 1, 3, 128, 512, 0)
    assert capacity * 512 >= size and (capacity - grain) * 512 < size and capacity % grain == 0
    assert (text_at, spare_at, main_at) == (d_at * 512, rgd * 512, gd * 512)
    assert len(text) <= d_room * 512 and overhead * 512 == length and overhead % grain == 0
    tables = -(-capacity // (128 * 512))
    taken = [(0, 1), (d_at, d_at + d_room)]
    for at, piece in ((rgd, spare), (gd, main)):
        places = struct.unpack(f"<{tables}I", piece)
        taken.append((at, at + -(-len(piece) // 512)))
        taken += [(places[0], places[-1] + 4)]
        assert places == tuple(range(places[0], places[0] + 4 * tables, 4))
    taken.sort()
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(taken))
    assert taken[-1][1] <= overhead
    assert f"RW {capacity} SPARSE".encode() in text


def test_a_large_disk_takes_no_room(tmp_path: Path) -> None:
    path = tmp_path / "zones-0.vmdk"
    length = vmdk.write_empty(path, 2000 << 30)
    assert path.stat().st_size == length
    assert path.stat().st_blocks * 512 < 1 << 20
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["zones-0.vmdk"]


@pytest.mark.parametrize("size", [0, -1, vmdk.LARGEST + 1])
def test_sizes_that_cannot_be(size: int, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="bytes"):
        vmdk.write_empty(tmp_path / "x.vmdk", size)
    assert not list(tmp_path.iterdir())


def test_names_that_would_break_the_description() -> None:
    for name in ('a"b.vmdk', "a/b.vmdk", "", "a\nb"):
        with pytest.raises(ValueError, match="cannot be named"):
            vmdk.empty_disk(1 << 30, name)
    with pytest.raises(ValueError, match="too long"):
        vmdk.empty_disk(1 << 30, "n" * 12000)


def test_the_description_of_smartos_own_bundle_has_the_right_count() -> None:
    text = vmdk.descriptor_around("smartos.img", 1_940_000_256, 0xFFFFFFF0)
    assert 'RW 3789063 FLAT "smartos.img" 0' in text
    assert 'ddb.geometry.cylinders = "3758"' in text
    assert 'createType="monolithicFlat"' in text and "CID=fffffff0" in text
    with pytest.raises(ValueError, match="whole sectors"):
        vmdk.descriptor_around("smartos.img", 1000)
