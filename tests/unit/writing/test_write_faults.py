"""Whatever goes wrong while writing: the right exit code, a key that does not boot, and no word of success."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest

from smartos_wizard.core.cancel import Cancel
from smartos_wizard.core.events import Advanced, PlanCancelled, StepFailed
from smartos_wizard.media import vouching
from smartos_wizard.media.model import ImageKind, VerifiedImage
from smartos_wizard.media.write_plan import plan_write
from tests.unit.writing.parts import MIB, MemoryDevice, Outcome, Place

Make = Callable[..., tuple[VerifiedImage, bytes]]
SIZE = 20 * MIB


def bad(outcome: Outcome, device: MemoryDevice, code: int) -> None:
    assert outcome.code == code, outcome.last
    assert not device.boots or not device.writes, "its first MiB should be zeros, or nothing changed at all"
    assert not outcome.claims_success
    assert outcome.keys[0]["state"] != "proven"


def test_a_good_key_holds_the_image_and_only_then_is_proven(place: Place, make_image: Make) -> None:
    image, data = make_image()
    device = MemoryDevice(SIZE)
    outcome = place.write(image, device)
    assert outcome.code == 0
    assert device.data[: len(data)] == data
    assert outcome.keys[0]["state"] == "proven"
    assert device.closed
    assert place.awake == ["begin", "end"]


@pytest.mark.parametrize(
    "size", [512, 4096, MIB, MIB + 512, 4 * MIB, 4 * MIB + 512, 8 * MIB, 8 * MIB + 511, 9 * MIB + 1]
)
@pytest.mark.parametrize("kind", [ImageKind.GZIP, ImageKind.RAW])
def test_odd_sizes_arrive_whole_and_nothing_beyond_but_the_old_backup_table_changes(
    place: Place, make_image: Make, size: int, kind: ImageKind
) -> None:
    image, data = make_image(size, kind=kind)
    device = MemoryDevice(SIZE)
    assert place.write(image, device).code == 0
    assert device.data[:size] == data
    end = (SIZE - 33 * 512) // 4096 * 4096
    beyond = max(size, MIB)
    assert set(device.data[beyond:end]) <= {0xA5}
    assert not any(device.data[end:])


def test_the_boot_sectors_go_first_and_come_last(place: Place, make_image: Make) -> None:
    image, _ = make_image()
    device = MemoryDevice(SIZE)
    seen: list[tuple[int, bool]] = []
    device.on_write = lambda data, offset: seen.append((offset, any(data)))
    assert place.write(image, device).code == 0
    assert seen[0] == (0, False)
    assert [offset for offset, filled in seen if filled][-1] == 0
    assert seen[-1] == (0, True)
    last_write = max(i for i, act in enumerate(device.acts) if act == "write")
    assert device.acts[last_write - 1] == "sync", "everything else is durable before the first sector"
    assert "sync" in device.acts[last_write:]


def test_an_error_at_a_sector_is_fatal_though_the_next_sync_succeeds(place: Place, make_image: Make) -> None:
    image, _ = make_image()
    device = MemoryDevice(SIZE)

    def broken(data: memoryview, offset: int) -> None:
        if offset <= 6 * MIB < offset + len(data):
            raise OSError(errno.EIO, "Input/output error")

    device.on_write = broken
    outcome = place.write(image, device)
    bad(outcome, device, 7)
    assert outcome.error.details["offset"] == 6 * MIB
    assert device.name in outcome.error.message
    assert "will not boot" in outcome.error.message


def test_a_failed_sync_is_fatal(place: Place, make_image: Make) -> None:
    image, _ = make_image()
    device = MemoryDevice(SIZE)
    syncs = 0

    def broken() -> None:
        nonlocal syncs
        syncs += 1
        if syncs == 2:  # the first one belongs to taking the old boot sectors away
            raise OSError(errno.EIO, "Input/output error")

    device.on_sync = broken
    bad(place.write(image, device), device, 7)


@pytest.mark.parametrize("number", [errno.ENODEV, errno.ENXIO, errno.EIO])
def test_a_pulled_key_is_said_to_be_gone(place: Place, make_image: Make, number: int) -> None:
    image, _ = make_image()
    device = MemoryDevice(SIZE)
    gone = False

    def pulled(data: memoryview, offset: int) -> None:
        nonlocal gone
        gone = gone or offset >= 5 * MIB
        if gone:
            raise OSError(number, "gone")

    device.on_write = device.on_read = pulled
    outcome = place.write(image, device, delta=False)
    bad(outcome, device, 10)
    assert outcome.error.reference == "device-lost"


def test_short_writes_and_interruptions_land_at_the_right_offset(place: Place, make_image: Make) -> None:
    image, data = make_image()
    device = MemoryDevice(SIZE)
    count = 0

    def fussy(piece: memoryview, offset: int) -> int | None:
        nonlocal count
        count += 1
        if count % 3 == 0:
            raise InterruptedError
        return min(len(piece), 4096 * 5 + 512) if count % 3 == 1 else None

    device.on_write = fussy
    assert place.write(image, device).code == 0
    assert device.data[: len(data)] == data


def test_a_device_that_takes_nothing_is_an_error_not_a_loop(place: Place, make_image: Make) -> None:
    image, _ = make_image()
    device = MemoryDevice(SIZE)
    device.on_write = lambda data, offset: 0 if offset >= 2 * MIB else None
    bad(place.write(image, device), device, 7)


@pytest.mark.parametrize("number", [errno.EPERM, errno.EROFS])
def test_a_write_protected_key_is_refused_with_nothing_changed(
    place: Place, make_image: Make, number: int
) -> None:
    image, _ = make_image()
    device = MemoryDevice(SIZE)
    before = bytes(device.data)

    def protected(data: memoryview, offset: int) -> None:
        raise OSError(number, "no")

    device.on_write = protected
    outcome = place.write(image, device)
    assert outcome.code == 4
    assert outcome.error.reference == "write-protected"
    assert bytes(device.data) == before
    assert not outcome.claims_success


def test_an_image_too_large_is_refused_before_the_first_write(place: Place, make_image: Make) -> None:
    from smartos_wizard.core.errors import Refused

    image, _ = make_image()
    device = MemoryDevice(8 * MIB)
    with pytest.raises(Refused) as caught:
        plan_write(image, [place.add(device)], place)
    assert caught.value.reference == "too-small"
    assert device.acts == []


def test_a_stream_that_does_not_end_is_capped_at_the_device(place: Place, make_image: Make) -> None:
    from dataclasses import replace

    image, _ = make_image(30 * MIB)
    device = MemoryDevice(8 * MIB)
    outcome = place.write(replace(image, raw_size=None), device)
    bad(outcome, device, 7)
    assert "oversized" in outcome.error.reference or "too-large" in outcome.error.reference


@pytest.mark.parametrize("cut", [10, 70_000])
def test_a_truncated_image_leaves_a_key_that_does_not_boot(place: Place, make_image: Make, cut: int) -> None:
    image, _ = make_image()
    image.path.write_bytes(image.path.read_bytes()[:-cut])
    device = MemoryDevice(SIZE)
    outcome = place.write(image, device)
    bad(outcome, device, 7)
    assert outcome.error.reference == "truncated-stream"
    assert ("will not boot" if device.writes else "has changed") in outcome.error.message


def test_a_corrupt_image_leaves_a_key_that_does_not_boot(place: Place, make_image: Make) -> None:
    image, _ = make_image()
    bytes_ = bytearray(image.path.read_bytes())
    bytes_[-6] ^= 0xFF  # in the CRC: every byte was already decoded when this is seen
    image.path.write_bytes(bytes_)
    device = MemoryDevice(SIZE)
    outcome = place.write(image, device)
    bad(outcome, device, 7)
    assert outcome.error.reference == "corrupt-stream"


def test_an_image_changed_since_it_was_verified_never_boots(place: Place, make_image: Make) -> None:
    image, _ = make_image(seed=1)
    other, _ = make_image(seed=2)
    image.path.write_bytes(other.path.read_bytes())
    device = MemoryDevice(SIZE)
    outcome = place.write(image, device)
    bad(outcome, device, 6)


def test_a_raw_image_shorter_than_its_own_table_says_never_boots(place: Place, make_image: Make) -> None:
    data = bytearray(9 * MIB)
    data[512:520] = b"EFI PART"
    data[544:552] = (20 * MIB // 512 - 1).to_bytes(8, "little")
    image, _ = make_image(data=bytes(data), kind=ImageKind.RAW)
    device = MemoryDevice(SIZE)
    bad(place.write(image, device), device, 7)


def test_a_failed_key_stops_no_other(place: Place, make_image: Make) -> None:
    image, data = make_image()
    good, broken, lost = (MemoryDevice(SIZE, f"/dev/key{i}") for i in (1, 2, 3))

    def fails(_: memoryview, offset: int) -> None:
        if offset >= 4 * MIB:
            raise OSError(errno.EIO, "Input/output error")

    def pulled(_: memoryview, offset: int) -> None:
        raise OSError(errno.ENODEV, "No such device")

    broken.on_write = fails
    lost.on_write = pulled
    outcome = place.write(image, good, broken, lost)
    assert outcome.code in (7, 10)
    assert [key["state"] for key in outcome.keys] == ["proven", "failed", "failed"]
    assert {key["error"]["exit_code"] for key in outcome.keys[1:]} == {7, 10}
    assert good.data[: len(data)] == data
    assert not broken.boots
    assert {e.target for e in outcome.events if isinstance(e, StepFailed)} >= {"/dev/key2", "/dev/key3"}


def test_stopping_leaves_a_key_that_does_not_boot_and_says_so(place: Place, make_image: Make) -> None:
    image, _ = make_image()
    device = MemoryDevice(SIZE)
    cancel = Cancel()

    def slow(_: memoryview, offset: int) -> None:
        if offset >= 3 * MIB:
            cancel.request()
            time.sleep(0.05)

    device.on_write = slow
    begun = time.monotonic()
    outcome = place.write(image, device, cancel=cancel)
    assert time.monotonic() - begun < 2
    assert isinstance(outcome.last, PlanCancelled)
    bad(outcome, device, 3)
    assert outcome.keys[0]["state"] == "cancelled"
    assert "will not boot" in outcome.last.state


def test_a_silent_device_is_told_by_ticks_and_does_not_hold_up_stopping(
    place: Place, make_image: Make
) -> None:
    image, _ = make_image()
    device = MemoryDevice(SIZE)
    cancel = Cancel()
    begun = time.monotonic()

    def stalls(_: memoryview, offset: int) -> None:
        if offset == 4 * MIB:
            time.sleep(1.0)
            cancel.request()
            time.sleep(4.0)

    device.on_write = stalls
    outcome = place.write(image, device, cancel=cancel, delta=False)
    assert time.monotonic() - begun < 3.0
    assert outcome.code == 3
    ticks = [e for e in outcome.events if isinstance(e, Advanced) and e.step == "write" and e.done == 4 * MIB]
    assert len(ticks) >= 3
    assert max(b.at - a.at for a, b in pairwise(ticks)) < 0.5


def test_two_jobs_never_work_on_one_key(place: Place, make_image: Make) -> None:
    image, _ = make_image()
    first, second = MemoryDevice(SIZE), MemoryDevice(SIZE)
    inner: list[Outcome] = []

    def meanwhile(_: memoryview, offset: int) -> None:
        if offset == 0 and not inner:
            inner.append(place.write(image, second))

    first.on_write = meanwhile
    target = place.add(first)
    outcome = place.run(plan_write(image, [target], place))
    assert inner[0].code == 4
    assert inner[0].error.reference == "target-busy"
    assert outcome.code == 0


def test_a_wrong_image_that_was_not_checked_before_changes_no_key(place: Place, make_image: Make) -> None:
    image, _ = make_image()
    devices = [MemoryDevice(SIZE), MemoryDevice(SIZE)]
    devices = [MemoryDevice(SIZE, f"/dev/key{i}") for i in (1, 2)]
    before = [bytes(device.data) for device in devices]
    wrong = replace(image, digest="0" * 64, checked=False)
    outcome = place.write(wrong, *devices)
    assert outcome.code == 6
    assert outcome.last.error is not None
    assert outcome.last.error.reference == "checksum-mismatch"
    assert [bytes(device.data) for device in devices] == before


def test_an_unchecked_right_image_is_written_and_an_unchanged_key_needs_one_reading_only(
    place: Place, make_image: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, data = make_image()
    unchecked = replace(image, checked=False)
    device = MemoryDevice(SIZE)
    assert place.write(unchecked, device).code == 0
    assert device.data[: len(data)] == data

    def never(*_: object) -> None:
        raise AssertionError("the file was read a second time")

    monkeypatch.setattr(vouching, "verify_now", never)
    again = place.write(unchecked, device)
    assert again.code == 0
    assert again.keys[0]["written"] == 0


def test_an_unchanged_key_is_not_proven_by_a_wrong_digest(place: Place, make_image: Make) -> None:
    image, data = make_image()
    device = MemoryDevice(SIZE)
    assert place.write(image, device).code == 0
    outcome = place.write(replace(image, digest="0" * 64, checked=False), device)
    assert outcome.code == 6
    assert outcome.keys[0]["state"] != "proven"
    assert device.data[: len(data)] == data
