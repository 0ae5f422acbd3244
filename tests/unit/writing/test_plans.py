"""The plan of writing says to the byte what will be destroyed, and means the same in another process."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from smartos_wizard.core.errors import Refused
from smartos_wizard.core.plan import Effect, Plan, require_confirmed
from smartos_wizard.media.as_json import image_from_json, image_to_json, target_from_json, target_to_json
from smartos_wizard.media.delta import Delta
from smartos_wizard.media.disks.judge import file_target
from smartos_wizard.media.model import (
    Disk,
    Fingerprint,
    ImageKind,
    Mount,
    Partition,
    Target,
    UsbFacts,
    VerifiedImage,
)
from smartos_wizard.media.restoring import extents, plan_restore
from smartos_wizard.media.source import declared_size, peek_size
from smartos_wizard.media.write_plan import plan_write
from tests.unit.writing.parts import MIB, MemoryDevice, Place

Make = Callable[..., tuple[VerifiedImage, bytes]]


def stick(path: str = "/dev/sdq", size: int = 8_000_000_000) -> Target:
    disk = Disk(
        path, size, model="Ultra", vendor="SanDisk", serial="4C530001", transport="usb", removable=True, sector=512,
        diskseq=7, rdev=(8, 0), partitions=(Partition(path + "1", 4_000_000, "vfat", "BACKUPS", 3_000_000),),
        mounts=(Mount(path + "1", "/media/backups", "vfat"),), usb=UsbFacts(speed=480.0, vid=1),
    )  # fmt: skip
    return Target(disk, Fingerprint(path, size, serial="4C530001", diskseq=7, rdev=(8, 0)), False,
                  ("/media/backups",), ("a note",))  # fmt: skip


def test_targets_and_images_survive_the_way_through_json(tmp_path: Path) -> None:
    target = stick()
    assert target_from_json(json.loads(json.dumps(target_to_json(target)))) == target
    image = VerifiedImage(tmp_path / "i", ImageKind.BZIP2, "md5", "00", "x", "s", "y", 5)
    assert image_from_json(json.loads(json.dumps(image_to_json(image)))) == image


def test_the_plan_names_every_loss_and_asks_for_the_serial(place: Place, make_image: Make) -> None:
    image, data = make_image()
    plan = plan_write(image, [stick()], place)
    assert plan == Plan.from_json(json.loads(json.dumps(plan.to_json())))
    assert [step.id for step in plan.steps] == [
        "source",
        "unmount",
        "open",
        "write",
        "boot-sectors",
        "prove",
        "receipt",
    ]
    write = plan.steps[3]
    assert write.effect is Effect.DESTROYS
    words = " ".join(write.details)
    assert "BACKUPS" in words
    assert f"bytes 0 to {len(data) - 1:,}" in words
    assert "7,999,999,999" in words
    assert plan.confirmation is not None
    assert plan.confirmation.tokens == ("4C530001",)
    with pytest.raises(Refused):
        require_confirmed(plan, ())
    with pytest.raises(Refused):
        require_confirmed(plan, ("4C530002",))
    require_confirmed(plan, ("4C530001",))


def test_a_new_file_needs_no_confirmation_and_an_old_one_its_path(
    place: Place, make_image: Make, tmp_path: Path
) -> None:
    image, _ = make_image()
    new = tmp_path / "new.img"
    plan = plan_write(image, [file_target(new, 9)], place)
    assert plan.confirmation is None
    assert not plan.destroys
    new.write_bytes(b"old")
    plan = plan_write(image, [file_target(new, 9)], place)
    assert plan.destroys
    assert plan.confirmation is not None
    assert plan.confirmation.tokens == (str(new),)


def test_an_unverified_image_must_be_typed_as_such(place: Place, make_image: Make) -> None:
    image, _ = make_image()
    plan = plan_write(replace(image, algorithm="none", digest=""), [stick()], place)
    assert plan.confirmation is not None
    assert set(plan.confirmation.tokens) == {"4C530001", "unverified"}


def test_one_disk_cannot_be_named_twice(place: Place, make_image: Make) -> None:
    image, _ = make_image()
    with pytest.raises(Refused):
        plan_write(image, [stick(), stick()], place)


def test_the_size_comes_from_the_table_and_never_from_the_end_of_the_gzip(make_image: Make) -> None:
    data = bytearray(3 * MIB)
    data[512:520] = b"EFI PART"
    data[544:552] = (len(data) // 512 - 1).to_bytes(8, "little")
    image, _ = make_image(data=bytes(data))
    lying = bytearray(image.path.read_bytes())
    lying[-4:] = b"\xff\xff\xff\x7f"
    image.path.write_bytes(lying)
    assert peek_size(replace(image, raw_size=None)) == len(data)
    assert declared_size(b"x" * 2000) is None


def test_delta_reads_all_of_an_equal_key_and_little_of_a_fresh_one() -> None:
    equal = Delta()
    for _ in range(460):
        assert equal.look()
        equal.same()
    fresh = Delta()
    looked = 0
    for _ in range(460):
        if fresh.look():
            looked += 1
            fresh.other()
    assert looked <= 460 * 0.03
    assert not fresh.looked_at_all
    assert not Delta(enabled=False).look()


def test_restoring_writes_the_table_last_and_wipes_the_old_backup() -> None:
    pieces = list(extents(64 * MIB, "USB"))
    assert pieces[0] == (0, bytes(MIB))
    assert pieces[1][0] + len(pieces[1][1]) == 64 * MIB
    assert pieces[-1][0] == 0
    assert pieces[-1][1][510:] == b"\x55\xaa"


def test_a_restored_key_is_read_back_and_a_lying_one_is_found(place: Place) -> None:
    device = MemoryDevice(64 * MIB)
    outcome = place.run(plan_restore(place.add(device)))
    assert outcome.code == 0
    assert device.data[450] == 0x0C
    lying = MemoryDevice(64 * MIB, "/dev/key2")
    plan = plan_restore(place.add(lying))

    def rot() -> None:
        lying.data[MIB + 11] ^= 1

    lying.on_drop = rot
    outcome = place.run(plan)
    assert outcome.code == 8
    assert outcome.error.details["offset"] == MIB + 11


def test_fat32_is_not_tried_where_it_does_not_fit(place: Place) -> None:
    with pytest.raises(Refused):
        plan_restore(place.add(MemoryDevice(8 * MIB)))
