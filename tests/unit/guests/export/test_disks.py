"""Disks as exports read and write them: what is held arrives, what is empty takes no room, others agree."""

from __future__ import annotations

import io
import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smartos_wizard.core.errors import Refused
from smartos_wizard.guests.export.qcow2 import Qcow2
from smartos_wizard.guests.export.sources import NotPlain, format_of, open_source
from smartos_wizard.guests.export.vmdk import GRAIN, StreamVmdk, capacity_of
from smartos_wizard.guests.vmware.vmdk import write_empty
from tests.unit.guests.export.parts import qemu_img, read_vmdk, write_key, write_qcow2

TIB = 1 << 40


def packed(size: int, pieces: dict[int, bytes]) -> bytes:
    out = io.BytesIO()
    writer = StreamVmdk(out.write, size, "disk.vmdk", 1)
    for offset, data in sorted(pieces.items()):
        writer.put(offset, data)
    assert writer.close() == len(out.getvalue())
    return out.getvalue()


@given(st.sets(st.integers(0, 3000), max_size=12), st.integers(0, 2**32), st.integers(1, 127))
@settings(max_examples=25, deadline=None)
def test_what_is_put_into_a_vmdk_is_read_back(grains: set[int], seed: int, odd: int) -> None:
    chance = random.Random(seed)
    put = {n * GRAIN: chance.choice([chance.randbytes(GRAIN), b"\1" * GRAIN, bytes(GRAIN)]) for n in grains}
    size = 3001 * GRAIN - odd * 512
    capacity, found = read_vmdk(packed(size, put))
    assert capacity == capacity_of(size) == 3001 * GRAIN
    assert found == {offset: data for offset, data in put.items() if any(data)}


@pytest.mark.parametrize("size", [512, GRAIN, 20 << 30, 2 * TIB])
def test_an_empty_disk_is_almost_nothing(size: int) -> None:
    data = packed(size, {})
    assert read_vmdk(data) == (capacity_of(size), {})
    assert len(data) <= 68 * 1024 + size // (32 << 20) * 4 + 512


def test_the_last_grain_of_two_tebibytes() -> None:
    last = 2 * TIB - GRAIN
    assert read_vmdk(packed(2 * TIB, {last: b"z" * GRAIN}))[1] == {last: b"z" * GRAIN}


def test_grains_out_of_order_are_a_fault() -> None:
    writer = StreamVmdk(io.BytesIO().write, 1 << 30, "d", 1)
    writer.put(GRAIN, b"a")
    with pytest.raises(ValueError, match="grain 0 after 1"):
        writer.put(0, b"a")


def test_too_large_is_refused() -> None:
    with pytest.raises(Refused, match="62 TiB"):
        StreamVmdk(io.BytesIO().write, 63 * TIB, "d", 1)


@pytest.mark.parametrize("size", [512 * 100, 20 << 30, 2 * TIB])
def test_qemu_reads_our_vmdk(size: int, tmp_path: Path) -> None:
    path = tmp_path / "d.vmdk"
    path.write_bytes(packed(size, {(size - 1) // GRAIN * GRAIN: b"end"}))
    assert qemu_img("check", path).returncode == 0
    about = json.loads(qemu_img("info", "--output=json", path).stdout)
    assert about["format"] == "vmdk"
    assert about["virtual-size"] == capacity_of(size)
    assert about["format-specific"]["data"]["create-type"] == "streamOptimized"


@pytest.mark.parametrize("size", [512 * 100, 20 << 30, 2 * TIB])
def test_qemu_reads_our_qcow2(size: int, tmp_path: Path) -> None:
    path = tmp_path / "d.qcow2"
    held = {0: b"a" * 70_000, (size - 1) // GRAIN * GRAIN: b"end"} if size > GRAIN else {0: b"a"}
    write_qcow2(path, size, held)
    assert open_source(path).size == size
    done = qemu_img("check", path)
    assert done.returncode == 0, done.stdout
    assert "No errors" in done.stdout
    assert json.loads(qemu_img("info", "--output=json", path).stdout)["virtual-size"] == size


def test_a_full_qcow2_has_all_its_counts(tmp_path: Path) -> None:
    """More clusters than one block of counts holds: 32768."""
    path = tmp_path / "d.qcow2"
    with path.open("w+b") as file:
        writer = Qcow2(file, 4 << 30)
        for number in range(33_000):
            writer.put(number * 65536, b"x")
        writer.close()
    assert open_source(path).held() == 33_000 * 65536
    assert "No errors" in qemu_img("check", path).stdout


@pytest.mark.parametrize("form", ["qcow2", "vdi", "vmdk", "raw"])
def test_every_kind_of_disk_is_read_as_qemu_reads_it(form: str, tmp_path: Path) -> None:
    raw, disk, copy = tmp_path / "key.img", tmp_path / f"disk.{form}", tmp_path / "copy.img"
    held = write_key(raw)
    assert qemu_img("convert", "-O", form, raw, disk).returncode == 0
    assert format_of(disk) == form
    source = open_source(disk)
    assert source.size == 3_789_063 * 512
    assert sum(map(len, held.values())) <= source.held() <= 8 << 20
    with copy.open("wb") as file:
        for offset, data in source.pieces():
            file.seek(offset)
            file.write(data)
        file.truncate(source.size)
    done = qemu_img("compare", "-f", "raw", "-F", form, copy, disk)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("form", "options"), [("qcow2", []), ("vdi", []), ("vmdk", []), ("vdi", ["-o", "static=on"])]
)
def test_a_new_disk_of_any_kind_holds_nothing(form: str, options: list[str], tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    size = 16 << 20 if options else (200 << 30) - (1 << 20)
    assert qemu_img("create", "-f", form, *options, disk, size).returncode == 0
    source = open_source(disk)
    assert (source.size, source.held()) == (size, size if options else 0)


@pytest.mark.parametrize(
    ("argv", "why"),
    [
        (["convert", "-c", "-O", "qcow2", "BASE", "DISK"], "compressed"),
        (["convert", "-O", "vmdk", "-o", "subformat=streamOptimized", "BASE", "DISK"], "uncommon"),
        (["convert", "-O", "vmdk", "-o", "subformat=monolithicFlat", "BASE", "DISK"], "several files"),
        (["create", "-f", "qcow2", "-b", "BASE", "-F", "raw", "DISK"], "uncommon"),
        (["create", "-f", "qcow2", "-o", "cluster_size=4096", "DISK", "1G"], "uncommon"),
        (["create", "-f", "qcow2", "-o", "extended_l2=on", "DISK", "1G"], "uncommon"),
    ],
)  # fmt: skip
def test_uncommon_disks_are_left_to_qemu_img(argv: list[str], why: str, tmp_path: Path) -> None:
    base, disk = tmp_path / "base.img", tmp_path / "disk.vmdk"
    base.write_bytes(b"data" * 100_000)
    done = qemu_img(*({"BASE": base, "DISK": disk}.get(word, word) for word in argv))
    assert done.returncode == 0, done.stderr
    with pytest.raises(NotPlain, match=why):
        open_source(disk).held()


@pytest.mark.parametrize("head", [b"QFI\xfb", b"KDMV", b"\0" * 64 + b"\x7f\x10\xda\xbe", b"QFI\xfb\0\0\0\2"])
def test_a_cut_off_disk_is_not_plain(head: bytes, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.write_bytes(head)
    with pytest.raises(NotPlain):
        open_source(disk).held()


def test_a_missing_disk_is_named(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="cannot be read: No such file"):
        open_source(tmp_path / "gone")


def test_a_disk_made_for_vmware_is_read(tmp_path: Path) -> None:
    path = tmp_path / "disk.vmdk"
    write_empty(path, 20 << 30)
    source = open_source(path)
    assert (source.size, source.held(), source.format) == (20 << 30, 0, "vmdk")
    done = qemu_img(
        "bench", "-w", "-f", "vmdk", "-c", "3", "-s", "65536", "-S", "1073741824", "--pattern", "7", path
    )
    assert done.returncode == 0, done.stderr
    assert [offset for offset, _data in open_source(path).pieces()] == [0, 1 << 30, 2 << 30]
    assert {data for _offset, data in open_source(path).pieces()} == {b"\7" * 65536}
