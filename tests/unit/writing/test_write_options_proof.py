"""The proof of a key written with choices covers every byte, also of what was changed on purpose."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from smartos_wizard.boot.model import ANSWERS, BootChoices
from smartos_wizard.core.events import StepStarted
from smartos_wizard.core.plan import Plan
from smartos_wizard.core.runner import execute
from smartos_wizard.media.fat_directory import Entry
from smartos_wizard.media.fat_edit import FatEditor
from smartos_wizard.media.model import VerifiedImage
from smartos_wizard.media.volume import DeviceVolume
from smartos_wizard.media.writing import WRITE_ACTIONS, plan_write
from tests.unit.writing.parts import MemoryDevice, Outcome, Place
from tests.unit.writing.small_keys import DEVICE, FIRST, SIZE, VOLUME, as_file, key_of, small_image

CHOICES = BootChoices(
    console="ttya",
    answers={"hostname": "x", "root_password": "hunter2"},
    files={"local/notes.txt": b"notes " * 700},
)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> VerifiedImage:
    return as_file(tmp_path_factory.mktemp("image") / "smartos.img", small_image())


def run(plan: Plan, place: Place, begins: Callable[[str], None]) -> Outcome:
    """Run the plan with a clock that stands still; `begins` is told of each step."""
    events = []
    for event in execute(plan, WRITE_ACTIONS, place, None, lambda: 1e9):
        if isinstance(event, StepStarted):
            begins(event.step)
        events.append(event)
    return Outcome(events)


def _free(device: MemoryDevice) -> int:
    """A byte in a cluster that nothing uses."""
    editor = FatEditor(DeviceVolume(device, FIRST, VOLUME))
    start, _count = list(editor.table.free_runs())[-1]
    return FIRST + editor.geometry.offset_of(start) + 100


def _entry(device: MemoryDevice, path: str) -> Entry:
    found = FatEditor(DeviceVolume(device, FIRST, VOLUME)).find(path)
    assert found is not None
    return found


def _inside(path: str, at: int) -> Callable[[MemoryDevice], int]:
    def where(device: MemoryDevice) -> int:
        editor = FatEditor(DeviceVolume(device, FIRST, VOLUME))
        return FIRST + editor.geometry.offset_of(_entry(device, path).cluster) + at

    return where


def _name_in_root(device: MemoryDevice, name: bytes) -> int:
    editor = FatEditor(DeviceVolume(device, FIRST, VOLUME))
    root = FIRST + editor.geometry.offset_of(2)
    at = device.data.find(name, root, root + 8192)
    assert at > 0
    return at


def _table(copy: int) -> Callable[[MemoryDevice], int]:
    def where(device: MemoryDevice) -> int:
        editor = FatEditor(DeviceVolume(device, FIRST, VOLUME))
        geometry = editor.geometry
        cluster = _entry(device, "local/notes.txt").cluster
        return FIRST + (geometry.reserved + copy * geometry.fat_sectors) * 512 + cluster * 4

    return where


PLACES: dict[str, Callable[[MemoryDevice], int]] = {
    "first sector": lambda _: 100,
    "partition table": lambda _: 1024 + 256 + 40,
    "backup table": lambda _: SIZE - 200,
    "free cluster": _free,
    "file of the release": _inside("platform/i86pc/amd64/boot_archive", 777),
    "changed file": _inside("local/notes.txt", 1500),
    "answers": _inside(ANSWERS, 3),
    "behind a changed file's end": _inside("local/notes.txt", 4200 // 512 * 512 + 300),
    "table": _table(0),
    "second table": _table(1),
    "first byte of the file system": lambda _: FIRST + 3,
    "count of free clusters": lambda _: FIRST + 512 + 489,
    "reserved sector": lambda _: FIRST + 12 * 512 + 5,
    "directory entry of a release's file": lambda d: _name_in_root(d, b"PLATFORM") + 26,
    "time of a directory": lambda d: _name_in_root(d, b"PLATFORM") + 14,
    "time of a new directory": lambda d: _name_in_root(d, b"LOCAL   ") + 24,
    "behind the last entry": lambda d: _name_in_root(d, b"LOCAL   ") // 512 * 512 + 511,
}


@pytest.mark.parametrize("where", PLACES)
def test_one_wrong_bit_anywhere_fails_the_proof_and_takes_the_boot_sectors_away(
    place: Place, image: VerifiedImage, where: str
) -> None:
    device = MemoryDevice(DEVICE)
    flipped: list[int] = []

    def flip(step: str) -> None:
        if step == "prove":
            flipped.append(PLACES[where](device))
            device.data[flipped[0]] ^= 0x10

    outcome = run(plan_write(image, [place.add(device)], place, choices=CHOICES), place, flip)
    assert outcome.code == 8, (outcome.last, flipped)
    assert not device.boots
    assert not outcome.claims_success
    assert outcome.keys[0]["state"] == "failed"
    assert device.name in outcome.error.message or "file system" in outcome.error.message
    assert "taken away" in outcome.error.message


class Forgetful(MemoryDevice):
    """Forgets the write number `drop` of those while the options are put."""

    step, count, drop = "", 0, 0

    def put(self, data: memoryview, offset: int) -> None:
        self.count += self.step == "options"
        if self.step != "options" or self.count != self.drop:
            super().put(data, offset)


def _put_by(device: MemoryDevice, place: Place, image: VerifiedImage) -> Outcome:
    """Write it, telling the device the step it is in; the clock stands still."""
    plan = plan_write(image, [place.add(device)], place, choices=CHOICES)
    return run(plan, place, lambda step: setattr(device, "step", step))


@pytest.mark.parametrize("held", [False, True], ids=["new", "held the image"])
def test_it_is_proven_exactly_where_every_byte_is_as_on_an_honest_key(
    place: Place, image: VerifiedImage, held: bool
) -> None:
    def made() -> Forgetful:
        return key_of(Forgetful) if held else Forgetful(DEVICE)

    honest = made()
    assert _put_by(honest, place, image).code == 0
    assert honest.count >= 9
    caught = 0
    for drop in range(1 + held, honest.count + 1, 3):
        device = made()
        device.drop = drop
        outcome = _put_by(device, place, image)
        assert (outcome.code == 0) == (device.data[:SIZE] == honest.data[:SIZE]), (drop, outcome.last)
        assert device.boots == (outcome.code == 0)
        caught += outcome.code == 8
    assert caught >= 2
