"""Practice keys misbehave in the ways they promise, and keep what was written to them."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smartos_wizard.core.errors import DeviceLost, PrivilegeFailed, Refused
from smartos_wizard.core.paths import below
from smartos_wizard.media.disks.judge import fingerprint_of, judge
from smartos_wizard.media.model import USB_IMAGE_SIZE, Disk, Target, Withheld
from smartos_wizard.media.ports import BlockDevice
from smartos_wizard.practice import devices
from smartos_wizard.practice.medium import Medium
from smartos_wizard.practice.place import PracticePlace

MIB = 1 << 20


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PracticePlace]:
    monkeypatch.setenv(devices.SPEED_VARIABLE, "0")
    made = PracticePlace.prepare(below(tmp_path))
    yield made
    made.close()


@pytest.fixture
def opened(place: PracticePlace) -> Iterator[Callable[..., BlockDevice]]:
    held: list[BlockDevice] = []

    def open_key(name: str, *, write: bool = True) -> BlockDevice:
        device = place.opener.open(target_of(place, name), write=write, notify=lambda *_: None)
        held.append(device)
        return device

    yield open_key
    for device in held:
        device.close()


def disk_of(place: PracticePlace, name: str) -> Disk:
    return next(d for d in place.disks.list() if d.path == f"/practice/{name}")


def target_of(place: PracticePlace, name: str) -> Target:
    disk = disk_of(place, name)
    return Target(disk, fingerprint_of(disk))


def read(device: BlockDevice, offset: int, length: int) -> bytes:
    into = bytearray(length)
    assert device.pread(memoryview(into), offset) == length
    return bytes(into)


def write(device: BlockDevice, data: bytes, offset: int) -> None:
    assert device.pwrite(memoryview(data), offset) == len(data)


def test_good_keys_are_offered_and_every_other_disk_is_withheld_for_its_own_reason(place):
    judged = {d.path.rpartition("/")[2]: judge(d) for d in place.disks.list()}
    offered = {name for name, j in judged.items() if isinstance(j, Target)}
    assert offered == {"sdb", "sdc", "sdf", "sdg", "sdh", "sdi"}
    why = {n: {r.reference for r in j.reasons} for n, j in judged.items() if isinstance(j, Withheld)}
    assert why["sdd"] == {"too-small"}
    assert why["sde"] == {"read-only"}
    assert why["sdj"] == {"not-removable"}
    assert why["sdk"] == {"sector-4096"}
    assert "system-disk" in why["sda"]
    assert "optical" in why["sr0"]


def test_the_system_disk_stays_withheld_even_where_fixed_disks_are_allowed(place):
    assert isinstance(judge(disk_of(place, "sda"), allow_fixed=True), Withheld)


def test_no_practice_path_exists_on_this_machine(place):
    assert not Path("/practice").exists()
    assert all(d.path.startswith("/practice/") for d in place.disks.list())


def test_what_was_written_is_read_back_also_after_closing(place, opened):
    data = os.urandom(4 * MIB)
    first = opened("sdb")
    write(first, data, 64 * MIB)
    first.sync()
    first.close()
    again = opened("sdb", write=False)
    assert read(again, 64 * MIB, len(data)) == data


def test_a_used_key_holds_old_data_and_zeros_written_to_it_are_zeros(place, opened):
    key = opened("sdb")
    assert read(key, MIB, 4096) != bytes(4096)
    write(key, bytes(4 * MIB), 0)
    assert read(key, 0, 4 * MIB) == bytes(4 * MIB)
    assert read(key, 4 * MIB, 4096) != bytes(4096)


def test_zeros_take_no_room_on_the_real_disk(place, opened):
    key = opened("sdc")
    file = place.root / "keys" / "sdc.img"
    write(key, os.urandom(8 * MIB), 0)
    full = file.stat().st_blocks * 512
    write(key, bytes(8 * MIB), 0)
    assert full >= 8 * MIB
    assert file.stat().st_blocks * 512 <= MIB


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pieces=st.lists(
        st.tuples(st.integers(0, 6 * MIB), st.integers(1, 3 * MIB), st.sampled_from([b"\0", b"a", b"\0b"])),
        min_size=1,
        max_size=6,
    ),
    blank=st.booleans(),
)
def test_a_medium_is_an_array_of_bytes(tmp_path, pieces, blank):
    size = 8 * MIB
    (tmp_path / "m.img").unlink(missing_ok=True)
    (tmp_path / "m.map").unlink(missing_ok=True)
    medium = Medium(tmp_path, tmp_path / "m.img", size, blank=blank)
    model = bytearray(size) if blank else bytearray(b"\xf6" * size)
    try:
        for offset, length, pattern in pieces:
            data = (pattern * length)[: min(length, size - offset)]
            assert medium.write(memoryview(data), offset) == len(data)
            model[offset : offset + len(data)] = data
        into = bytearray(size)
        assert medium.read(memoryview(into), 0) == size
        assert into == model
    finally:
        medium.close()


def test_a_write_protected_key_cannot_be_opened_for_writing_but_can_be_read(place, opened):
    with pytest.raises(PrivilegeFailed) as no:
        opened("sde")
    assert no.value.reference == "write-protected"
    key = opened("sde", write=False)
    with pytest.raises(OSError) as error:
        key.pwrite(memoryview(bytes(4096)), 0)
    assert error.value.errno == errno.EROFS


def test_a_key_that_lies_about_its_size_overwrites_its_beginning(place, opened):
    key = opened("sdh")
    assert key.size == 32 << 30
    write(key, b"A" * MIB, 100 * MIB)
    write(key, b"B" * MIB, (1 << 30) + 100 * MIB)
    assert read(key, 100 * MIB, MIB) == b"B" * MIB
    write(key, b"C" * (2 * MIB), (1 << 30) - MIB)
    assert read(key, 0, MIB) == b"C" * MIB


def test_no_key_takes_a_byte_beyond_its_end(place, opened):
    key = opened("sdb")
    with pytest.raises(OSError) as error:
        key.pwrite(memoryview(bytes(4096)), key.size - 512)
    assert error.value.errno == errno.ENOSPC
    assert key.pread(memoryview(bytearray(4096)), key.size) == 0


def test_the_losing_key_goes_at_60_percent_comes_back_and_then_lasts(place, opened, monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr(place.control, "clock", lambda: clock[0])
    limit = USB_IMAGE_SIZE * 6 // 10
    before = disk_of(place, "sdg").diskseq
    key = opened("sdg")
    write(key, bytes(MIB), 0)  # the old boot sectors are wiped first
    write(key, b"x" * MIB, MIB)
    write(key, b"x" * MIB, USB_IMAGE_SIZE // 512 * 512 - MIB)  # the backup table, written early
    write(key, b"x" * 4096, limit // MIB * MIB)
    with pytest.raises(OSError) as error:
        key.pwrite(memoryview(bytes(MIB)), limit // MIB * MIB)
    assert error.value.errno == errno.ENODEV
    for action in (key.sync, key.fingerprint, lambda: read(key, 0, 4096)):
        with pytest.raises(OSError):
            action()
    assert "/practice/sdg" not in [d.path for d in place.disks.list()]
    key.close()
    clock[0] += devices.BACK_AFTER
    with pytest.raises(OSError):
        key.sync()  # another attachment: the old descriptor stays dead
    assert disk_of(place, "sdg").diskseq != before
    second = opened("sdg")
    assert read(second, MIB, MIB) == b"x" * MIB
    write(second, bytes(MIB), limit // MIB * MIB)
    write(second, bytes(510) + b"\x55\xaa" + bytes(MIB - 512), 0)
    second.close()
    third = opened("sdg")
    with pytest.raises(OSError):
        third.pwrite(memoryview(bytes(MIB)), limit // MIB * MIB)


def test_a_key_pulled_by_another_process_fails_at_the_next_access(place, opened):
    key = opened("sdb")
    type(place.control)(place.control.file).unplug("sdb")
    with pytest.raises(OSError) as error:
        read(key, 0, 4096)
    assert error.value.errno == errno.ENODEV


def test_a_key_swapped_after_confirming_is_not_opened(place):
    target = target_of(place, "sdb")
    place.unplug("sdb")
    place.plug("sdb")
    with pytest.raises(Refused) as no:
        place.opener.open(target, write=True, notify=lambda *_: None)
    assert no.value.reference == "identity-changed"


def test_a_key_pulled_after_confirming_is_reported_as_gone(place):
    target = target_of(place, "sdb")
    place.unplug("sdb")
    with pytest.raises(DeviceLost):
        place.opener.open(target, write=True, notify=lambda *_: None)


def test_the_list_follows_a_key_within_a_second(place):
    assert not place.disks.changed(0.3)
    threading.Timer(0.2, place.unplug, ("sdc",)).start()
    begun = time.monotonic()
    assert place.disks.changed(5)
    assert time.monotonic() - begun < 1.2
    assert "/practice/sdc" not in [d.path for d in place.disks.list()]


def test_an_ejected_key_comes_back_by_itself(place, monkeypatch):
    clock = [50.0]
    monkeypatch.setattr(place.control, "clock", lambda: clock[0])
    assert "ejected" in place.opener.eject("/practice/sdb")
    assert "/practice/sdb" not in [d.path for d in place.disks.list()]
    clock[0] += devices.BACK_AFTER
    assert "/practice/sdb" in [d.path for d in place.disks.list()]


def test_starting_over_gives_every_key_back_as_it_was(place, opened):
    key = opened("sdb")
    write(key, b"mine" * 1024, 0)
    place.unplug("sdc")
    place.reset()
    with pytest.raises(OSError):
        read(key, 0, 4096)
    assert "/practice/sdc" in [d.path for d in place.disks.list()]
    assert disk_of(place, "sdb").mounts
    assert read(opened("sdb"), 0, 4096) == b"\xf6" * 4096


def timed(action: Callable[[], object]) -> float:
    begun = time.monotonic()
    action()
    return time.monotonic() - begun


def test_keys_are_as_slow_as_they_say_and_one_falls_silent_for_a_while(place, monkeypatch):
    monkeypatch.setenv(devices.SPEED_VARIABLE, "4")
    key = place.opener.open(target_of(place, "sdf"), write=True, notify=lambda *_: None)
    data = bytes(4 * MIB)
    try:
        assert 0.04 < timed(lambda: write(key, data, 0)) < 0.6  # 48 MB/s
        stall = timed(lambda: write(key, data, 192 * MIB))
        assert 1.2 < stall < 2.5
        assert timed(lambda: write(key, data, 192 * MIB)) < 0.6
    finally:
        key.close()


def test_a_written_key_shows_the_partitions_that_are_on_it(place, opened):
    from smartos_wizard.practice.image import build_usb_image

    assert [p.label for p in disk_of(place, "sdb").partitions] == ["BACKUPS"]
    image = build_usb_image(place.root / "image", "20260903T001557Z", boot_archive_size=MIB)
    key = opened("sdb")
    with image.open("rb") as file:
        for start in (0, 257 * MIB, 258 * MIB):
            file.seek(start)
            write(key, file.read(2 * MIB), start)
    now = disk_of(place, "sdb")
    assert [p.path for p in now.partitions] == [f"/practice/sdb{n}" for n in (1, 2, 3, 9)]
    assert [p.label for p in now.partitions][2] == "SMARTOSBOOT"
    assert now.mounts == ()


def test_one_key_holds_the_previous_release_from_the_beginning(place, opened):
    from smartos_wizard.practice.stamps import PREVIOUS, Era

    key = opened("sdi", write=False)
    place.tree.lay_image(PREVIOUS, place.root / "raw")
    with (place.root / "raw").open("rb") as file:
        for offset in (0, MIB, 258 * MIB, 284 * MIB, USB_IMAGE_SIZE // MIB * MIB):
            file.seek(offset)
            want = file.read(MIB)
            assert read(key, offset, MIB)[: len(want)] == want
    assert Era(PREVIOUS).whole
    assert [p.label for p in disk_of(place, "sdi").partitions][2] == "SMARTOSBOOT"
