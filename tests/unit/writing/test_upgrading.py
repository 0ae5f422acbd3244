"""A newer platform beside the present one, one switch, and the way back: whatever happens, one of the two starts."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from smartos_wizard.boot.model import ANSWERS, BootChoices
from smartos_wizard.core.cancel import Cancel
from smartos_wizard.core.errors import Refused
from smartos_wizard.core.events import PlanCancelled
from smartos_wizard.core.plan import Plan, require_confirmed
from smartos_wizard.media.configuring import choices_on, plan_configure
from smartos_wizard.media.contents import read_contents
from smartos_wizard.media.model import VerifiedImage
from smartos_wizard.media.upgrading import plan_rollback, plan_upgrade
from tests.unit.writing.parts import MIB, MemoryDevice, Outcome, Place
from tests.unit.writing.small_keys import (
    ARCHIVE,
    GRUB,
    LATER,
    NEW,
    OLD,
    below,
    beside,
    files,
    full,
    key,
    platform,
    pread_of,
    small_image,
    sound,
    tarball,
    tree,
)

MINE = (
    ("boot/loader.conf.local", b'# mine\nmy_own="line"\n'),
    ("local/notes.txt", b"mine"),
    ("kept.txt", b"!"),
)


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, VerifiedImage]:
    at = tmp_path_factory.mktemp("platforms")
    return {stamp: tarball(at / f"platform-{stamp}.tgz", stamp) for stamp in (OLD, NEW, LATER)}


def upgrade(place: Place, device: MemoryDevice, image: VerifiedImage) -> Outcome:
    return place.run(plan_upgrade(place.add(device), image, place))


def rollback(place: Place, device: MemoryDevice, to: str = "") -> Outcome:
    return place.run(plan_rollback(place.add(device), place, to))


def starts(device: MemoryDevice, stamp: str, kept: str | None) -> None:
    """The key is sound, starts `stamp`, keeps `kept`, and holds no other platform."""
    found = tree(device)
    assert sound(device)
    assert files(below(found, "platform")) == platform(stamp)
    assert files(below(found, "previous/platform")) == (platform(kept) if kept else {})
    assert not [path for path in found if path.startswith("previous/") and "platform" not in path]


def test_it_starts_the_new_one_keeps_the_old_and_nothing_else_changed(
    place: Place, packed: dict[str, VerifiedImage]
) -> None:
    device = key(small_image(own=MINE))
    told = BootChoices(console="ttya", answers={"hostname": "x"}, files={"local/more": b"more"})
    assert place.run(plan_configure(place.add(device), told, place)).code == 0
    before = tree(device)
    plan = plan_upgrade(place.add(device), packed[NEW], place)
    with pytest.raises(Refused):
        require_confirmed(plan, ())
    assert not plan.destroys
    outcome = place.run(plan)
    assert outcome.code == 0, outcome.error
    assert (outcome.keys[0]["state"], outcome.keys[0]["platform"], outcome.keys[0]["kept"]) == (
        "upgraded", NEW, OLD,
    )  # fmt: skip
    assert outcome.claims_success
    starts(device, NEW, OLD)
    assert beside(tree(device), "platform", "previous") == beside(before, "platform")
    assert choices_on(place.add(device), place) == told
    shown = read_contents(pread_of(device), device.size)
    assert (shown.stamp, shown.previous, shown.unfinished, shown.problems) == (NEW, OLD, False, ())


def test_a_second_upgrade_lets_the_oldest_go_and_says_so(
    place: Place, packed: dict[str, VerifiedImage]
) -> None:
    device = key()
    assert upgrade(place, device, packed[NEW]).code == 0
    plan = plan_upgrade(place.add(device), packed[LATER], place)
    assert plan.destroys
    assert OLD in str([step.details for step in plan.steps])
    assert place.run(plan).code == 0
    starts(device, LATER, NEW)


def test_back_and_forward_and_back_again(place: Place, packed: dict[str, VerifiedImage]) -> None:
    device = key(small_image(own=MINE))
    before = tree(device)
    assert upgrade(place, device, packed[NEW]).code == 0
    for stamp, kept in ((OLD, NEW), (NEW, OLD), (OLD, NEW)):
        outcome = rollback(place, device)
        assert outcome.code == 0, outcome.error
        assert outcome.keys[0]["state"] == "rolled-back"
        starts(device, stamp, kept)
    assert beside(tree(device), "previous") == before


def test_what_is_there_already_is_proven_changes_nothing_and_asks_nothing(
    place: Place, packed: dict[str, VerifiedImage]
) -> None:
    device = key()
    assert upgrade(place, device, packed[NEW]).code == 0
    device.writes = []
    gone = replace(packed[NEW], path=packed[NEW].path.with_name("gone.tgz"))
    for plan, state in (
        (plan_upgrade(place.add(device), packed[NEW], place), "proven"),
        (plan_upgrade(place.add(device), gone, place), "unchanged"),
        (plan_rollback(place.add(device), place, to=NEW), "unchanged"),
    ):
        assert plan.confirmation is None
        outcome = place.run(plan)
        assert (outcome.code, outcome.keys[0]["state"]) == (0, state)
    assert device.writes == []


def test_what_is_there_but_not_right_is_found_by_giving_the_command_again(
    place: Place, packed: dict[str, VerifiedImage]
) -> None:
    device = key()
    assert upgrade(place, device, packed[NEW]).code == 0
    content = tree(device)["platform/i86pc/kernel/amd64/unix"]
    assert content is not None
    device.data[device.data.find(content[:512])] ^= 1
    outcome = place.run(plan_upgrade(place.add(device), packed[NEW], place))
    assert (outcome.code, outcome.error.reference) == (8, "proof-failed")
    assert "unix" in outcome.error.message


def test_a_copy_that_reads_back_wrong_is_found_before_anything_points_at_it(
    place: Place, packed: dict[str, VerifiedImage]
) -> None:
    device = key()
    before = tree(device)
    spoilt: list[int] = []

    def spoil(data: memoryview, offset: int) -> int | None:
        if not spoilt and len(data) > 4096:
            spoilt.append(offset)
        return None

    device.on_write = spoil

    def lie() -> None:
        for offset in spoilt:
            device.data[offset] ^= 0xFF

    device.on_drop = lie
    outcome = upgrade(place, device, packed[NEW])
    assert (outcome.code, outcome.error.reference) == (8, "proof-failed")
    assert "Nothing that was on it has changed" in outcome.error.message
    device.on_drop = lambda: None
    assert tree(device) == before


def test_a_tarball_without_a_stamp_in_its_name_that_is_there_already_is_said_to_be(
    place: Place, packed: dict[str, VerifiedImage]
) -> None:
    device = key()
    before = bytes(device.data)
    outcome = upgrade(place, device, replace(packed[OLD], stamp=""))
    assert (outcome.code, outcome.error.reference) == (4, "there-already")
    assert OLD in outcome.error.message
    assert bytes(device.data) == before
    assert upgrade(place, device, replace(packed[NEW], stamp="")).code == 0
    starts(device, NEW, OLD)


def refused(plan: Callable[[], Plan], reference: str, device: MemoryDevice) -> Refused:
    before = bytes(device.data)
    with pytest.raises(Refused) as caught:
        plan()
    assert caught.value.reference == reference
    assert "Nothing was changed." in caught.value.message
    assert bytes(device.data) == before
    return caught.value


def test_what_cannot_be_is_refused_by_name(place: Place, packed: dict[str, VerifiedImage]) -> None:
    grub, device, blank = key(small_image(GRUB, legacy=True)), key(), MemoryDevice(40 * MIB)
    refused(lambda: plan_upgrade(place.add(grub), packed[NEW], place), "legacy-key", grub)
    refused(lambda: plan_rollback(place.add(grub), place), "legacy-key", grub)
    refused(lambda: plan_rollback(place.add(device), place), "nothing-kept", device)
    refused(lambda: plan_rollback(place.add(device), place, to=NEW), "nothing-kept", device)
    refused(lambda: plan_upgrade(place.add(blank), packed[NEW], place), "no-smartos", blank)
    assert upgrade(place, device, packed[NEW]).code == 0
    error = refused(lambda: plan_rollback(place.add(device), place, to=LATER), "other-kept", device)
    assert OLD in error.message
    assert rollback(place, device, to=OLD).code == 0
    starts(device, OLD, NEW)


def test_a_kept_platform_that_is_not_whole_is_not_gone_back_to(
    place: Place, packed: dict[str, VerifiedImage]
) -> None:
    kept = tuple((f"previous/platform/{p}", d) for p, d in platform(LATER).items() if p != ARCHIVE)
    device = key(small_image(own=kept))
    before = bytes(device.data)
    outcome = rollback(place, device)
    assert (outcome.code, outcome.error.reference) == (4, "not-whole")
    assert bytes(device.data) == before
    assert upgrade(place, device, packed[NEW]).code == 0
    starts(device, NEW, OLD)


def test_without_room_for_a_second_platform_nothing_is_changed_and_the_sizes_are_said(
    place: Place, packed: dict[str, VerifiedImage]
) -> None:
    device = key(full(150_000))
    error = refused(lambda: plan_upgrade(place.add(device), packed[NEW], place), "no-space", device)
    assert error.details["needed"] > error.details["free"] > 0
    assert "own" in error.hint


def test_without_room_for_three_the_kept_one_goes_first(
    place: Place, packed: dict[str, VerifiedImage]
) -> None:
    kept = tuple((f"previous/platform/{p}", d) for p, d in platform(LATER).items())
    device = key(full(230_000, *kept))
    plan = plan_upgrade(place.add(device), packed[NEW], place)
    assert "room" in [step.id for step in plan.steps], [step.id for step in plan.steps]
    assert plan.destroys
    outcome = place.run(plan)
    assert outcome.code == 0, outcome.error
    starts(device, NEW, OLD)


def test_what_the_tarball_does_not_tell_is_found_before_the_key_is_changed(
    place: Place, tmp_path: Path
) -> None:
    device = key(full(150_000))
    two = tarball(tmp_path / f"platform-{NEW}.tgz", edit=lambda data: data + gzip.compress(bytes(512)))
    before = bytes(device.data)
    outcome = upgrade(place, device, two)
    assert (outcome.code, outcome.error.reference) == (4, "no-space")
    assert bytes(device.data) == before


def test_another_hand_in_between_is_seen(place: Place, packed: dict[str, VerifiedImage]) -> None:
    device = key()
    plan = plan_upgrade(place.add(device), packed[NEW], place)
    assert upgrade(place, device, packed[LATER]).code == 0
    before = bytes(device.data)
    outcome = place.run(plan)
    assert (outcome.code, outcome.error.reference) == (4, "changed-meanwhile")
    assert LATER in outcome.error.message
    assert bytes(device.data) == before


def test_stopping_while_it_copies_leaves_the_key_as_it_was(
    place: Place, packed: dict[str, VerifiedImage]
) -> None:
    device = key(small_image(own=MINE))
    before, cancel = tree(device), Cancel()
    device.on_write = lambda data, offset: cancel.request()  # type: ignore[func-returns-value]
    outcome = place.run(plan_upgrade(place.add(device), packed[NEW], place), cancel)
    assert isinstance(outcome.last, PlanCancelled)
    assert outcome.code == 3
    assert outcome.keys[0]["state"] == "cancelled"
    assert "has changed" in outcome.last.state
    assert tree(device) == before
    assert sound(device)
    device.on_write = lambda data, offset: None
    assert upgrade(place, device, packed[NEW]).code == 0


def test_answers_put_by_configure_go_through_upgrade_and_rollback(
    place: Place, packed: dict[str, VerifiedImage]
) -> None:
    device = key()
    assert (
        place.run(plan_configure(place.add(device), BootChoices(answers={"hostname": "x"}), place)).code == 0
    )
    told = tree(device)[ANSWERS]
    assert upgrade(place, device, packed[NEW]).code == 0
    assert rollback(place, device).code == 0
    assert tree(device)[ANSWERS] == told
