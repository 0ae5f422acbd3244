"""Writing a key with choices in the same run: what is on it then, and what it is said to be when that fails."""

from __future__ import annotations

import errno
import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from smartos_wizard.boot.model import ANSWERS, LOADER_CONF_LOCAL, MENU_LST, BootChoices
from smartos_wizard.core.cancel import Cancel
from smartos_wizard.core.errors import UsageProblem
from smartos_wizard.core.events import PlanCancelled, StepStarted
from smartos_wizard.core.plan import Plan
from smartos_wizard.core.runner import execute
from smartos_wizard.media.model import VerifiedImage
from smartos_wizard.media.writing import WRITE_ACTIONS, plan_write
from tests.unit.writing.parts import MIB, MemoryDevice, Outcome, Place
from tests.unit.writing.small_keys import (
    DEVICE,
    GRUB,
    GRUB_FIRST,
    SIZE,
    as_file,
    beside,
    full,
    key,
    small_image,
    sound,
    tree,
)

SHADOW = "$5$2HOHRnK3$NvLlm.1KQBbB0WjoP7xcIwGnllhzp2HnT.mDO7DpxYA"
CHOICES = BootChoices(
    console="ttya", root_shadow=SHADOW, answers={"hostname": "x", "root_password": "hunter2"},
    files={"local/notes.txt": b"notes " * 700},
)  # fmt: skip
PATHS = [LOADER_CONF_LOCAL, ANSWERS, "local/notes.txt"]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> VerifiedImage:
    return as_file(tmp_path_factory.mktemp("image") / "smartos.img", small_image())


@pytest.fixture(scope="module")
def grub_image(tmp_path_factory: pytest.TempPathFactory) -> VerifiedImage:
    data = small_image(GRUB, legacy=True)
    return as_file(tmp_path_factory.mktemp("image") / "smartos-old.img", data, GRUB)


def planned(
    place: Place, image: VerifiedImage, *devices: MemoryDevice, choices: BootChoices = CHOICES
) -> Plan:
    return plan_write(image, [place.add(device) for device in devices], place, choices=choices)


def write(
    place: Place, image: VerifiedImage, *devices: MemoryDevice, choices: BootChoices = CHOICES
) -> Outcome:
    return place.run(planned(place, image, *devices, choices=choices))


def blank(name: str = "/dev/key1") -> MemoryDevice:
    return MemoryDevice(DEVICE, name)


def vault(place: Place) -> list[Path]:
    return sorted((place.paths.state / "vault").glob("*"))


def stepped(
    place: Place,
    plan: Plan,
    step: list[str],
    cancel: Cancel | None = None,
    clock: Callable[[], float] = time.time,
) -> Outcome:
    """Run the plan, keeping the id of the step it is in at `step[0]`."""
    events = []
    for event in execute(plan, WRITE_ACTIONS, place, cancel, clock):
        if isinstance(event, StepStarted):
            step[0] = event.step
        events.append(event)
    return Outcome(events)


def test_the_key_holds_the_release_and_what_was_asked_and_the_receipt_says_both(
    place: Place, image: VerifiedImage
) -> None:
    device = blank()
    outcome = write(place, image, device)
    assert outcome.code == 0, outcome.error
    assert outcome.keys[0]["state"] == "proven"
    assert outcome.keys[0]["proof"] == "read-back"
    assert sorted(outcome.keys[0]["files"]) == sorted(PATHS)
    after = tree(device)
    assert sound(device)
    assert beside(after, *PATHS, "local", "private") == tree(key())
    assert after["local/notes.txt"] == b"notes " * 700
    assert b'os_console="ttya"' in (after[LOADER_CONF_LOCAL] or b"")
    assert not vault(place)
    receipt = Path(outcome.keys[0]["receipt"]).read_text()
    assert sorted(json.loads(receipt)["options"]) == sorted(PATHS)
    for secret in ("hunter2", SHADOW):
        assert secret not in receipt + str(outcome.events)


def test_a_grub_image_whose_file_system_begins_in_what_is_held_back(
    place: Place, grub_image: VerifiedImage
) -> None:
    device = blank()
    choices = BootChoices(console="ttyb", answers={"hostname": "x"})
    outcome = write(place, grub_image, device, choices=choices)
    assert outcome.code == 0, outcome.error
    after = tree(device)
    assert sound(device)
    assert GRUB_FIRST < MIB
    assert beside(after, MENU_LST, ANSWERS, "private") == beside(
        tree(key(small_image(GRUB, legacy=True))), MENU_LST
    )
    assert b"variable os_console ttyb" in (after[MENU_LST] or b"")


def test_nothing_boots_before_the_options_are_on_it(place: Place, image: VerifiedImage) -> None:
    device = blank()
    booted: list[str] = []
    device.data[:MIB] = bytes(MIB)
    for event in execute(planned(place, image, device), WRITE_ACTIONS, place):
        if isinstance(event, StepStarted) and device.boots:
            booted.append(event.step)
    assert booted == ["prove", "receipt"]


def test_a_key_that_held_the_image_already_gets_the_options_and_is_proven(
    place: Place, image: VerifiedImage
) -> None:
    device = key()
    outcome = write(place, image, device)
    assert outcome.code == 0, outcome.error
    assert (outcome.keys[0]["state"], outcome.keys[0]["proof"]) == ("proven", "read-back")
    assert tree(device)["local/notes.txt"] == b"notes " * 700
    assert bytes(device.data[:MIB]) == small_image()[:MIB]
    again = write(place, image, device)
    assert again.code == 0, again.error
    assert sound(device)


def test_choices_that_make_no_sense_are_said_before_the_key_is_opened(
    place: Place, image: VerifiedImage, grub_image: VerifiedImage
) -> None:
    device = blank()
    for one, choices in (
        (image, BootChoices(hostname="no host name")),
        (grub_image, BootChoices(delay=-1)),
    ):
        with pytest.raises(UsageProblem):
            planned(place, one, device, choices=choices)
    assert device.acts == []
    assert not vault(place)


def test_two_keys_one_of_which_fails_while_the_options_are_put(place: Place, image: VerifiedImage) -> None:
    good, bad = blank(), blank("/dev/key2")
    step = [""]

    def fails(_data: memoryview, _offset: int) -> None:
        if step[0] == "options":
            raise OSError(errno.EIO, "Input/output error")

    bad.on_write = fails
    outcome = stepped(place, planned(place, image, good, bad), step)
    assert outcome.code == 7
    assert [row["state"] for row in outcome.keys] == ["proven", "failed"]
    error = outcome.keys[1]["error"]
    assert error["reference"] == "device-error"
    assert "/dev/key2" in error["message"]
    assert "will not boot" in error["message"]
    assert not bad.boots
    assert tree(good)["local/notes.txt"] == b"notes " * 700
    assert vault(place), "the same plan may run again for the other"
    bad.on_write = lambda data, offset: None
    assert place.run(planned(place, image, bad)).code == 0


def test_a_write_protected_key_that_held_the_image_keeps_it(place: Place, image: VerifiedImage) -> None:
    device = key()
    before = bytes(device.data)

    def protected(_data: memoryview, _offset: int) -> None:
        raise OSError(errno.EROFS, "no")

    device.on_write = protected
    outcome = write(place, image, device)
    assert (outcome.code, outcome.error.reference) == (4, "write-protected")
    assert "nothing on it has changed" in outcome.error.message
    assert bytes(device.data) == before


def test_choices_that_are_gone_from_the_vault_cost_no_key(place: Place, image: VerifiedImage) -> None:
    device = blank()
    plan = planned(place, image, device)
    for path in vault(place):
        path.unlink()
    outcome = place.run(plan)
    assert (outcome.code, outcome.error.reference) == (4, "secret-gone")
    assert device.acts == []


@pytest.mark.parametrize("held", [False, True], ids=["new", "held the image"])
@pytest.mark.parametrize(
    ("number", "code"), [(errno.EIO, 7), (errno.ENODEV, 10), (errno.ENOSPC, 7), (errno.EROFS, 7)]
)
def test_a_key_that_fails_while_the_options_are_put_does_not_boot_and_says_so(
    place: Place, image: VerifiedImage, held: bool, number: int, code: int
) -> None:
    device = key() if held else blank()
    step, count = [""], 0

    def fails(_data: memoryview, _offset: int) -> None:
        nonlocal count
        count += step[0] == "options"
        if count > 3:
            raise OSError(number, "no")

    device.on_write = fails
    outcome = stepped(place, planned(place, image, device), step)
    assert count == 4
    assert outcome.code == code, outcome.last
    assert not device.boots
    assert "will not boot" in outcome.error.message
    assert not outcome.claims_success


@pytest.mark.parametrize("held", [False, True], ids=["new", "held the image"])
def test_too_many_options_for_the_room_leave_a_key_that_does_not_boot(
    place: Place, tmp_path: Path, held: bool
) -> None:
    device = key(full(100_000)) if held else blank()
    image = as_file(tmp_path / "full.img", full(100_000))
    outcome = write(place, image, device, choices=BootChoices(files={"local/big": bytes(200_000)}))
    assert (outcome.code, outcome.error.reference) == (4, "no-space")
    assert "Nothing was changed" not in outcome.error.message
    assert ("will not boot" in outcome.error.message) is not device.boots
    if held:
        assert bytes(device.data[:SIZE]) == full(100_000)


@pytest.mark.parametrize("held", [False, True], ids=["new", "held the image"])
def test_stopping_while_the_options_are_put_leaves_a_key_that_does_not_boot(
    place: Place, image: VerifiedImage, held: bool
) -> None:
    device = key() if held else blank()
    cancel, step = Cancel(), [""]

    def slow(_data: memoryview, _offset: int) -> None:
        if step[0] == "options":
            cancel.request()

    device.on_write = slow
    outcome = stepped(place, planned(place, image, device), step, cancel)
    assert isinstance(outcome.last, PlanCancelled)
    assert outcome.code == 3
    assert not device.boots
    assert "will not boot" in outcome.last.state
    assert outcome.keys[0]["state"] == "cancelled"
    device.on_write = lambda data, offset: None
    assert write(place, image, device).code == 0
    assert sound(device)


def test_an_image_that_is_no_key_takes_no_options(place: Place, tmp_path: Path) -> None:
    data = b"\xfa\xf4" + bytes(508) + b"\x55\xaa" + hashlib.sha256(b"x").digest() * 100_000
    outcome = write(place, as_file(tmp_path / "odd.img", data), device := blank())
    assert (outcome.code, outcome.error.reference) == (4, "no-smartos")
    assert "Nothing was changed" not in outcome.error.message
    assert not device.boots
