"""Only the pass that reads everything back says "proven", and nothing that lies gets past it."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable

import pytest
from typing_extensions import override

from smartos_wizard.core.cancel import Cancel
from smartos_wizard.core.events import Noted
from smartos_wizard.media.model import VerifiedImage
from smartos_wizard.media.proving import first_difference
from tests.unit.writing.parts import MIB, MemoryDevice, Outcome, Place

Make = Callable[..., tuple[VerifiedImage, bytes]]
SIZE = 20 * MIB


class WrapsAround(MemoryDevice):
    """A fake: claims its size, holds `real` bytes, and writes on from the beginning after that."""

    real = 6 * MIB

    @override
    def put(self, data: memoryview, offset: int) -> None:
        for i in range(0, len(data), 4096):
            place = (offset + i) % self.real
            piece = data[i : i + 4096]
            self.data[place : place + len(piece)] = piece

    @override
    def get(self, offset: int, count: int) -> bytes:
        whole = bytes(self.data[: self.real])
        start = offset % self.real
        return (whole[start:] + whole * (count // self.real + 1))[:count]


class Drops(MemoryDevice):
    """A fake: takes everything, keeps the first `real` bytes."""

    real = 6 * MIB

    @override
    def put(self, data: memoryview, offset: int) -> None:
        keep = max(0, min(len(data), self.real - offset))
        self.data[offset : offset + keep] = data[:keep]


def never_proven(outcome: Outcome, device: MemoryDevice, code: int) -> None:
    assert outcome.code == code, outcome.last
    assert outcome.keys[0]["state"] != "proven"
    assert not outcome.claims_success
    assert not device.boots, "its boot sectors should have been taken away again"


@pytest.mark.parametrize("kind", [WrapsAround, Drops])
def test_a_key_that_holds_less_than_it_claims_is_caught(
    place: Place, make_image: Make, kind: type[MemoryDevice]
) -> None:
    image, _ = make_image()
    device = kind(SIZE)
    outcome = place.write(image, device)
    assert outcome.code == 8
    assert not outcome.claims_success
    assert outcome.error.details["offset"] is not None


def flip(device: MemoryDevice, at: int) -> Callable[[], None]:
    """Change one bit when the proof begins."""

    def drop() -> None:
        if "write" in device.acts:
            device.data[at] ^= 0x10
            device.on_drop = lambda: None

    return drop


@pytest.mark.parametrize("at", [0, 511, MIB, 4 * MIB - 1, 4 * MIB, 9 * MIB + 512 * 7 - 1])
def test_one_bit_changed_after_writing_is_named_to_the_byte(place: Place, make_image: Make, at: int) -> None:
    image, data = make_image()
    device = MemoryDevice(SIZE)
    device.on_drop = flip(device, at)
    outcome = place.write(image, device, delta=False)
    never_proven(outcome, device, 8)
    details = outcome.error.details
    assert (details["offset"], details["expected"], details["got"]) == (at, data[at], data[at] ^ 0x10)


def test_the_proof_reads_everything_after_the_last_write_with_the_cache_dropped(
    place: Place, make_image: Make
) -> None:
    image, data = make_image()
    device = MemoryDevice(SIZE)
    assert place.write(image, device).code == 0
    last_write = max(i for i, act in enumerate(device.acts) if act == "write")
    after = device.acts[last_write:]
    assert after.index("drop") < after.index("read")
    proof = device.reads[-3:]
    assert sum(count for _, count in proof) == len(data)


def test_an_early_end_fails_and_never_loops(place: Place, make_image: Make) -> None:
    image, _ = make_image()
    device = MemoryDevice(SIZE)

    def ends(into: memoryview, offset: int) -> int | None:
        return max(0, min(len(into), 5 * MIB - offset))

    device.on_read = ends
    outcome = place.write(image, device, delta=False)
    never_proven(outcome, device, 8)
    assert outcome.error.details["offset"] == 5 * MIB


def test_an_unreadable_sector_fails_the_proof(place: Place, make_image: Make) -> None:
    image, _ = make_image()
    device = MemoryDevice(SIZE)

    def broken(into: memoryview, offset: int) -> None:
        if offset <= 6 * MIB < offset + len(into):
            raise OSError(errno.EIO, "Input/output error")

    device.on_read = broken
    outcome = place.write(image, device, delta=False)
    never_proven(outcome, device, 8)


def test_pulled_while_proving_is_gone_not_proven(place: Place, make_image: Make) -> None:
    image, _ = make_image()
    device = MemoryDevice(SIZE)
    gone = False

    def pulled(piece: memoryview, offset: int) -> None:
        nonlocal gone
        gone = gone or offset >= 4 * MIB
        if gone:
            raise OSError(errno.EIO, "Input/output error")

    device.on_read = pulled
    device.on_write = lambda data, offset: pulled(data, 0)
    outcome = place.write(image, device, delta=False)
    assert outcome.code == 10
    assert not outcome.claims_success


def test_stopping_while_proving_says_not_proven(place: Place, make_image: Make) -> None:
    image, _ = make_image()
    device = MemoryDevice(SIZE)
    cancel = Cancel()

    def slow(_: memoryview, offset: int) -> None:
        if "drop" in device.acts:
            cancel.request()
            time.sleep(0.4)

    device.on_read = slow
    outcome = place.write(image, device, cancel=cancel, delta=False)
    assert outcome.code == 3
    assert "not proven" in outcome.last.state  # type: ignore[union-attr]
    assert not outcome.claims_success


def test_an_unchanged_key_is_read_whole_and_nothing_is_written(place: Place, make_image: Make) -> None:
    image, data = make_image()
    device = MemoryDevice(SIZE)
    place.write(image, device)
    device.writes.clear()
    device.reads.clear()
    outcome = place.write(image, device)
    assert outcome.code == 0
    assert device.writes == []
    assert outcome.keys[0]["written"] == 0
    assert outcome.keys[0]["state"] == "proven"
    assert outcome.keys[0]["proof"] == "compared"
    covered = sorted(device.reads)
    assert sum(count for _, count in covered) == len(data), "every byte is read, and only once"
    assert any(isinstance(e, Noted) and e.reference == "unchanged" for e in outcome.events)


def test_one_changed_slot_is_written_alone_and_everything_is_proven_again(
    place: Place, make_image: Make
) -> None:
    image, data = make_image(40 * MIB)
    device = MemoryDevice(44 * MIB)
    place.write(image, device)
    device.data[21 * MIB] ^= 1
    device.writes.clear()
    outcome = place.write(image, device)
    assert outcome.code == 0
    assert device.data[: len(data)] == data
    assert outcome.keys[0]["proof"] == "read-back"
    assert outcome.keys[0]["written"] <= 4 * MIB + MIB + 64 * 1024 + 4096


def test_old_data_where_the_image_has_zeros_is_overwritten(place: Place, make_image: Make) -> None:
    image, data = make_image(9 * MIB)
    device = MemoryDevice(SIZE)
    assert place.write(image, device).code == 0
    assert data[7 * MIB : 8 * MIB] == bytes(MIB) == device.data[7 * MIB : 8 * MIB]


def test_a_fresh_key_is_hardly_read_before_it_is_written(place: Place, make_image: Make) -> None:
    image, _ = make_image(120 * MIB)
    device = MemoryDevice(124 * MIB)
    place.write(image, device)
    before = device.acts.index("drop") if "drop" in device.acts else len(device.acts)
    reads = device.acts[:before].count("read")
    assert reads <= 5, "30 slots, of which a handful are looked at"


def test_after_an_interruption_the_same_command_continues_and_the_result_is_whole(
    place: Place, make_image: Make
) -> None:
    image, data = make_image(100 * MIB)
    device = MemoryDevice(104 * MIB)
    cancel = Cancel()

    def stop(_: memoryview, offset: int) -> None:
        if 80 * MIB <= offset < 100 * MIB:
            cancel.request()
            time.sleep(0.3)

    device.on_write = stop
    assert place.write(image, device, cancel=cancel, delta=False).code == 3
    assert not device.boots
    device.on_write = lambda data, offset: None
    device.writes.clear()
    outcome = place.write(image, device)
    assert outcome.code == 0
    assert device.data[: len(data)] == data
    assert outcome.keys[0]["skipped"] >= 70 * MIB
    said = [e for e in outcome.events if isinstance(e, Noted) and e.reference == "resumed"]
    assert said
    assert "right already" in said[0].text


def test_checking_writes_nothing_and_names_the_first_difference_and_how_many(
    place: Place, make_image: Make
) -> None:
    image, data = make_image()
    device = MemoryDevice(SIZE)
    device.data[: len(data)] = data
    assert place.check(image, device).code == 0
    device.data[5 * MIB + 3] ^= 0xFF
    device.data[9 * MIB] ^= 0xFF
    outcome = place.check(image, device)
    assert outcome.code == 8
    assert outcome.error.details["offset"] == 5 * MIB + 3
    assert outcome.error.details["different"] == 2
    assert outcome.keys[0]["state"] == "failed"
    assert device.writes == []
    assert not outcome.claims_success


def test_a_key_shorter_than_the_image_fails_the_check(place: Place, make_image: Make) -> None:
    image, data = make_image()
    device = MemoryDevice(8 * MIB)
    device.data[:] = data[: 8 * MIB]
    outcome = place.check(image, device)
    assert outcome.code == 8
    assert outcome.error.details["offset"] == 8 * MIB


@pytest.mark.parametrize(
    ("a", "b", "place_"),
    [
        (b"", b"", None),
        (b"abc", b"abc", None),
        (b"abc", b"abd", 2),
        (b"xbc", b"abc", 0),
        (b"ab", b"abc", 2),
        (b"a" * 999, b"a" * 998 + b"b", 998),
    ],
)
def test_the_first_difference_is_the_first(a: bytes, b: bytes, place_: int | None) -> None:
    assert first_difference(a, b) == place_
